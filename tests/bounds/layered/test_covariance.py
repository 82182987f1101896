"""Matrices that must be above others, against 60 digits."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lipcert.bounds.layered.covariance import above, congruence, inverse_above, largest


def drawn(size: int, seed: int, spread: float) -> Tensor:
    """A positive definite matrix with condition about 10^spread, (1, n, n)."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0]
    values = 10.0 ** (-spread * torch.rand(size, generator=generator, dtype=torch.float64))
    matrix = (basis * values) @ basis.T
    return ((matrix + matrix.T) / 2)[None]


def exact(matrix: Tensor) -> list[list[Fraction]]:
    return [[Fraction(x) for x in row] for row in matrix.tolist()]


def definite(rows: list[list[Fraction]]) -> bool:
    """Whether a symmetric matrix of fractions is positive definite, by elimination."""
    rows = [row[:] for row in rows]
    for k in range(len(rows)):
        if rows[k][k] <= 0:
            return False
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    return True


def times(first: list[list[Fraction]], second: list[list[Fraction]]) -> list[list[Fraction]]:
    columns = list(zip(*second, strict=True))
    return [[sum((a * b for a, b in zip(row, col, strict=True)), Fraction(0)) for col in columns] for row in first]


def minus(first: list[list[Fraction]], second: list[list[Fraction]]) -> list[list[Fraction]]:
    return [[a - b for a, b in zip(x, y, strict=True)] for x, y in zip(first, second, strict=True)]


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 7), seed=st.integers(0, 10**6), spread=st.floats(0, 9))
def test_inverse_is_above_the_exact_one(size: int, seed: int, spread: float) -> None:
    matrix = drawn(size, seed, spread)
    found = inverse_above(matrix, 0.0)
    if found is None:
        return
    # Y is above S^-1 for positive definite S where [[Y, I], [I, S]] is positive semidefinite; strictly so here.
    unit = exact(torch.eye(size, dtype=torch.float64))
    rows = [[*y, *i] for y, i in zip(exact(found[0]), unit, strict=True)]
    rows += [[*i, *s] for i, s in zip(unit, exact(matrix[0]), strict=True)]
    assert definite(rows)
    assert float((found - torch.linalg.inv(matrix)).norm()) <= 1e-3 * float(found.norm()) + 1e-3


def test_a_matrix_that_is_not_positive_definite_has_no_inverse_above() -> None:
    assert inverse_above(torch.diag(torch.tensor([1.0, -1e-3], dtype=torch.float64))[None], 0.0) is None
    assert inverse_above(torch.diag(torch.tensor([1.0, 1e-3], dtype=torch.float64))[None], 2e-3) is None


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 5), size=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_congruence_is_above_the_exact_one(rows: int, size: int, seed: int) -> None:
    matrix = drawn(size, seed, 3.0)
    weight = torch.randn(1, rows, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = congruence(weight, 0.0, matrix)
    w = exact(weight[0])
    product = times(times(w, exact(matrix[0])), [list(column) for column in zip(*w, strict=True)])
    assert definite(minus(exact(found[0]), product))
    assert float((found[0] - weight[0] @ matrix[0] @ weight[0].T).norm()) <= 1e-11 * float(found.norm()) + 1e-300


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 7), seed=st.integers(0, 10**6), spread=st.floats(0, 9))
def test_largest_is_above_every_eigenvalue_and_near_the_largest(size: int, seed: int, spread: float) -> None:
    matrix = drawn(size, seed, spread)
    top = largest(matrix)
    shifted = [[-x for x in row] for row in exact(matrix[0])]
    for i in range(size):
        shifted[i][i] += Fraction(top)
    assert definite(shifted)
    assert top <= float(torch.linalg.eigvalsh(matrix)[0, -1]) * (1 + 1e-5)


def test_complex_stacks_are_above_in_every_block() -> None:
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(5, 4, 4, generator=generator, dtype=torch.complex128)
    matrix = half @ half.mH + 0.1 * torch.eye(4)
    found = inverse_above((matrix + matrix.mH) / 2, 0.0)
    assert found is not None
    assert float(torch.linalg.eigvalsh(found - torch.linalg.inv(matrix)).min()) >= 0
    assert largest(matrix) >= float(torch.linalg.eigvalsh(matrix).max())


def test_a_raised_matrix_is_raised_by_the_error() -> None:
    matrix = torch.tensor([[[2.0, 1.0], [1.0, 3.0]]], dtype=torch.float64)
    raised = above(matrix, 0.5) - matrix
    assert float(torch.linalg.eigvalsh(raised).min()) >= 0.5
    assert float(raised.max()) == pytest.approx(0.5, rel=1e-12)
