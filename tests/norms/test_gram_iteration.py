"""Squared kernels against the symbol on a fine grid and against written-out operators."""

import math

import pytest
import torch

from lipcert.norms import Task
from lipcert.norms.gram_iteration import GramIteration, toeplitz_norm
from lipcert.operators import ConvolutionOperator, DenseOperator, materialise
from tests.operator_examples import random


def supremum(taps) -> float:
    """The largest singular value of the symbol on a grid fine enough for four digits."""
    axes = tuple(range(2, taps.ndim))
    symbol = torch.fft.fftn(taps, s=(96,) * len(axes), dim=axes).flatten(2).permute(2, 0, 1)
    return float(torch.linalg.svdvals(symbol).max())


@pytest.mark.parametrize("shape", [(4, 4, 5), (1, 1, 7), (3, 5, 3, 3), (6, 2, 2, 3), (1, 1, 3, 3)])
def test_more_squares_close_in_on_the_symbol(shape):
    taps, exact = random(*shape), supremum(random(*shape))
    bounds = [toeplitz_norm(taps, squares) for squares in range(6)]
    assert all(bound >= exact for bound in bounds)
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[5] <= exact * 1.2
    assert bounds[5] - exact <= 0.5 * (bounds[0] - exact)


@pytest.mark.parametrize("exponent", [-1000, -500, 0, 500, 1000])
def test_scale_does_not_matter(exponent):
    taps = random(3, 3, 3, 3)
    assert toeplitz_norm(taps * 2.0**exponent, 3) == toeplitz_norm(taps, 3) * 2.0**exponent


def test_it_does_not_depend_on_the_size_and_holds_at_every_size():
    weight, found = random(4, 3, 3, 3), set()
    for size in (3, 5, 9, 16):
        operator = ConvolutionOperator(weight, (size, size), stride=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1))
        end = GramIteration().end(operator, Task())
        assert end.value >= float(torch.linalg.matrix_norm(materialise(operator), 2))
        found.add(end.value)
    assert len(found) == 1


def test_wide_kernels_and_other_operators_are_too_dear():
    wide = ConvolutionOperator(
        torch.ones(512, 512, 3, 3), (7, 7), stride=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1)
    )
    assert math.isinf(GramIteration().cost(wide))
    assert math.isinf(GramIteration().cost(DenseOperator(random(3, 3))))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_give_no_bound(value):
    assert toeplitz_norm(torch.full((1, 1, 3), value, dtype=torch.float64), 2) == math.inf
