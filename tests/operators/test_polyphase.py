"""A split convolution is the convolution: written out on its one axis it has the same singular values."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.operators import ConvolutionOperator, materialise
from lipcert.operators.polyphase import polyphase, split_axis
from lipcert.operators.symbol import Symbol
from tests.operator_examples import convolution, random


@st.composite
def rows(draw):
    kernel, stride, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    size = max(draw(st.integers(1, 12)), dilation * (kernel - 1) + 1 - sum(padding))
    weight = random(2, 3, kernel, seed=draw(st.integers(0, 10**6)))
    return ConvolutionOperator(weight, (size,), stride=(stride,), padding=(padding,), dilation=(dilation,))


@settings(max_examples=200, deadline=None)
@given(rows())
def test_written_out_it_is_the_matrix(operator):
    kernel = polyphase(operator)
    matrix = materialise(operator)
    if kernel is None:
        assert not matrix.any()
        return
    written = kernel.written_out(0)[0][0, :, :, 0]
    found, exact = torch.linalg.svdvals(written), torch.linalg.svdvals(matrix)
    if operator.dilation[0] // math.gcd(operator.dilation[0], operator.stride[0]) == 1:
        count = min(len(found), len(exact))
        torch.testing.assert_close(found[:count], exact[:count])
        assert float(found[count:].sum() + exact[count:].sum()) < 1e-12
    else:
        # Every part is a piece of the Toeplitz matrix over the union of their places.
        assert float(found[0]) >= float(exact[0]) * (1 - 1e-12)


@pytest.mark.parametrize(
    ("size", "kernel", "padding", "grid"), [(56, 3, 1, 57), (7, 3, 1, 8), (10, 5, 2, 12), (9, 1, 0, 1)]
)
def test_the_grid_is_the_least_that_holds_the_places(size, kernel, padding, grid):
    assert split_axis(convolution(random(1, 1, kernel), size, padding=padding), 0).grid == grid


def test_stride_makes_channels_of_phases_and_dilation_parts():
    strided = polyphase(convolution(random(4, 3, 7, 7), 224, 224, stride=2, padding=3))
    assert strided.taps.shape == (1, 4, 12, 4, 4)
    dilated = polyphase(convolution(random(4, 3, 3, 3), 32, 32, dilation=4, padding=4))
    assert dilated.taps.shape == (1, 4, 3, 3, 3)
    assert dilated.grid == (9, 9)
    common = polyphase(convolution(random(4, 3, 3), 32, dilation=2, stride=2))
    assert common.taps.shape == (1, 4, 3, 3)


def test_half_the_grid_has_all_norms_of_the_whole():
    symbol = Symbol(random(1, 3, 2, 3, 2), (5, 4))
    for twist in ((0, 0), (0, 1), (1, 0), (1, 1)):
        axes = [torch.arange(size) * 2 + bit for size, bit in zip(symbol.grid, twist, strict=True)]
        whole = symbol.values(torch.cartesian_prod(*axes))
        half = symbol.values(symbol.half_grid(twist))
        assert half.shape[1] <= whole.shape[1] // 2 + 2
        norms = [torch.linalg.matrix_norm(values, 2).flatten().tolist() for values in (whole, half)]
        assert all(min(abs(norm - other) for other in norms[1]) < 1e-12 for norm in norms[0])
