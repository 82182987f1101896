"""Row sums, column sums and the Frobenius norm against written-out matrices."""

import math
from fractions import Fraction

import pytest
import torch

from lipcert.norms import frobenius_norm, l1_norm, linf_norm
from lipcert.operators import CompositionOperator, DenseOperator, materialise
from tests.operator_examples import EXAMPLES, convolution

NORMS = {
    "linf": (linf_norm, lambda a: torch.linalg.matrix_norm(a, torch.inf)),
    "l1": (l1_norm, lambda a: torch.linalg.matrix_norm(a, 1)),
    "frobenius": (frobenius_norm, torch.linalg.matrix_norm),
}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("norm", NORMS)
def test_it_is_the_matrix_norm(name, norm):
    method, reference = NORMS[norm]
    found, value = method(EXAMPLES[name]), float(reference(materialise(EXAMPLES[name])))
    assert found.lower <= value <= found.upper
    assert found.gap < 1e-11


def test_rounding_is_outward():
    """0.1 + 0.2 + ... in float64 misses the exact sum; the ends do not."""
    row = torch.tensor([[0.1 * k for k in range(1, 40)]], dtype=torch.float64)
    exact = sum(Fraction(float(entry)) for entry in row[0])
    found = linf_norm(DenseOperator(row))
    assert Fraction(found.lower) <= exact <= Fraction(found.upper)
    assert Fraction(float(row.sum())) != exact


@pytest.mark.parametrize("size", [5e-324, 1e-170, 1.6e-162, 1e-155, 1e-120, 1e120, 1e150])
@pytest.mark.parametrize("norm", NORMS)
def test_underflow_is_outward(norm, size):
    """Each of these norms of a 2x2 matrix of one number is twice that number."""
    found = NORMS[norm][0](DenseOperator(torch.full((2, 2), size, dtype=torch.float64)))
    assert found.lower <= 2 * size <= found.upper


def test_a_zero_operator_has_the_norm_zero():
    for method, _ in NORMS.values():
        assert method(EXAMPLES["conv zero"]).upper == 0.0


@pytest.mark.parametrize("norm", NORMS)
def test_a_chain_that_cancels_in_rounding_is_not_called_zero(norm):
    """0.1 * 3 - 0.3 of these float64 numbers is 2^-55; with its product rounded first it is twice that."""
    first = DenseOperator(torch.tensor([[0.1], [0.3]], dtype=torch.float64))
    second = DenseOperator(torch.tensor([[3.0, -1.0]], dtype=torch.float64))
    exact = abs(Fraction(0.1) * 3 - Fraction(0.3))
    found = NORMS[norm][0](CompositionOperator((first, second)))
    assert Fraction(found.lower) <= exact <= Fraction(found.upper)


@pytest.mark.parametrize("norm", NORMS)
def test_a_chain_of_few_terms_with_a_large_matrix_keeps_its_lower_end(norm):
    """The written-out matrix has more terms than the convolutions it is made of."""
    kernels = [convolution(torch.ones(1, 1, 1), 3000) for _ in range(2)]
    found = NORMS[norm][0](CompositionOperator(kernels))
    exact = math.sqrt(3000) if norm == "frobenius" else 1.0
    assert found.lower <= exact <= found.upper
