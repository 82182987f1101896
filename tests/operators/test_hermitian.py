"""The ceiling over Hermitian matrices, whose eigenvalues are known or computed by a second method."""

import pytest
import torch

from lipcert.operators.hermitian import Ceiling, _defect
from tests.operator_examples import random


def hermitian(values, seed: int = 0):
    """A complex matrix with these eigenvalues, up to rounding."""
    size = len(values)
    square = torch.complex(random(size, size, seed=seed), random(size, size, seed=seed + 1))
    basis, _ = torch.linalg.qr(square)
    matrix = (basis * torch.as_tensor(values, dtype=torch.float64)) @ basis.mH
    return (matrix + matrix.mH) / 2


def spectra(size: int):
    return {
        "spread": torch.linspace(0.0, 1.0, size),
        "cluster": 1.0 - 1e-10 * torch.arange(size, dtype=torch.float64),
        "one": torch.cat((torch.zeros(size - 1), torch.ones(1))),
    }


@pytest.mark.parametrize("size", [2, 3, 17, 64])
@pytest.mark.parametrize("guess", [0.0, 0.5, 1.0 - 1e-9, 1.0, 1.5])
@pytest.mark.parametrize("kind", ["spread", "cluster", "one"])
def test_it_covers_the_largest_eigenvalue_and_little_more(size, guess, kind):
    ceiling = Ceiling(guess, 0.0)
    ceiling.cover(torch.stack([hermitian(spectra(size)[kind] * part) for part in (0.3, 1.0, 0.99)]))
    assert max(1.0, guess) * (1 - 1e-14) <= ceiling.value <= max(1.0, guess) * (1 + 1e-7)


def test_a_large_matrix_needs_no_eigendecomposition():
    gram = hermitian(spectra(800)["spread"]).real.contiguous()
    largest = float(torch.linalg.eigvalsh(gram)[-1])
    ceiling = Ceiling(0.1, 0.0)
    ceiling.cover(gram[None])
    assert largest <= ceiling.value <= largest * 1.01


def test_the_error_of_the_matrices_is_added():
    ceiling = Ceiling(0.0, 0.25)
    ceiling.cover(hermitian([0.5, 1.0])[None])
    assert 1.25 <= ceiling.value <= 1.25 + 1e-6


def test_one_by_one_matrices_and_none_at_all():
    ceiling = Ceiling(0.0, 0.0)
    ceiling.cover(torch.tensor([[[2.0 + 0j]], [[3.0 + 0j]]], dtype=torch.complex128))
    assert 3.0 <= ceiling.value <= 3.0 + 1e-12


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("place", [(0, 0), (-1, 0), (-1, -1)])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_no_number_has_no_ceiling(size, place, value):
    gram = hermitian(spectra(size)["spread"])
    gram[place] = value
    ceiling = Ceiling(2.0, 0.0)
    ceiling.cover(gram[None])
    assert ceiling.value == float("inf")


def test_a_factor_is_judged_by_its_product_on_other_devices():
    """The defect of a spoiled factor is seen; that of a good one is rounding."""
    shifted = (2.0 * torch.eye(20) - hermitian(spectra(20)["spread"]))[None]
    factor = torch.linalg.cholesky(shifted)
    mask = torch.tensor([True])
    assert 0.0 < _defect(shifted, factor, mask) < 1e-12
    spoiled = factor.clone()
    spoiled[0, 5, 2] += 1e-3
    actual = float(torch.linalg.matrix_norm(spoiled[0] @ spoiled[0].mH - shifted[0], 2))
    assert _defect(shifted, spoiled, mask) >= actual > 1e-4
    assert _defect(shifted, factor, ~mask) == 0.0
