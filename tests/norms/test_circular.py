"""Convolutions after circular padding, against written-out matrices."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Size

from lipcert.norms import UPPERS, Task, spectral_norm
from lipcert.operators import CompositionOperator, ConvolutionOperator, DenseOperator, GatherOperator, materialise
from tests.operator_examples import convolution, random


def circular(weight, size, before, after, *, stride, dilation, groups=1):
    """Circular padding by (before, after) on each axis, then the convolution."""
    channels = weight.shape[1] * groups
    index = torch.arange(channels * math.prod(size)).reshape(channels, *size)
    for axis, (n, b, a) in enumerate(zip(size, before, after, strict=True), start=1):
        index = index.index_select(axis, torch.arange(-b, n + a) % n)
    layer = ConvolutionOperator(
        weight, index.shape[1:], stride=stride, padding=[(0, 0)] * len(size), dilation=dilation, groups=groups
    )
    return CompositionOperator((GatherOperator(index, Size((1, channels, *size))), layer))


def truth(operator):
    return float(torch.linalg.svdvals(materialise(operator))[0])


@st.composite
def geometries(draw):
    axes = draw(st.integers(1, 2))
    each = lambda low, high: [draw(st.integers(low, high)) for _ in range(axes)]  # noqa: E731
    size, kernel, stride, dilation = each(1, 8), each(1, 4), each(1, 3), each(1, 3)
    before, after = each(0, 6), each(0, 6)
    span = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    after = [max(a, s - n - b) for a, s, n, b in zip(after, span, size, before, strict=True)]
    groups = draw(st.integers(1, 2))
    weight = random(
        groups * draw(st.integers(1, 3)), draw(st.integers(1, 3)), *kernel, seed=draw(st.integers(0, 10**6))
    )
    weight = weight.abs() if draw(st.booleans()) else weight
    return circular(weight, size, before, after, stride=stride, dilation=dilation, groups=groups)


@settings(max_examples=150, deadline=None)
@given(geometries())
def test_it_is_never_below_the_norm(operator):
    method, value = UPPERS["circular"](), truth(operator)
    assert math.isfinite(method.cost(operator))
    assert value * (1 - 1e-14) <= method.end(operator, Task()).value
    found = spectral_norm(operator)
    assert found.lower <= value * (1 + 1e-12)
    assert value <= found.upper


@pytest.mark.parametrize(("size", "stride", "kernel"), [(6, 1, 3), (8, 2, 3), (9, 3, 5), (5, 1, 5), (4, 1, 3)])
def test_it_is_the_norm_where_the_torus_is_whole(size, stride, kernel):
    pad = kernel // 2
    operator = circular(
        random(3, 2, kernel, kernel), (size, size), (pad, pad), (pad, pad), stride=(stride, stride), dilation=(1, 1)
    )
    value = truth(operator)
    assert UPPERS["circular"]().end(operator, Task(lower=value)).value <= value * (1 + 1e-5)


def test_outputs_that_repeat_are_counted():
    operator = circular(torch.tensor([[[0.5]]]), (6,), (1,), (1,), stride=(1,), dilation=(1,))
    assert truth(operator) == pytest.approx(0.5 * math.sqrt(2))
    assert UPPERS["circular"]().end(operator, Task()).value == pytest.approx(0.5 * math.sqrt(2))


def test_a_large_layer_is_enclosed_tightly():
    operator = circular(random(8, 8, 3, 3), (56, 56), (1, 1), (1, 1), stride=(1, 1), dilation=(1, 1))
    found = spectral_norm(operator)
    assert found.method.endswith("circular")
    assert found.gap < 1e-2


@pytest.mark.parametrize("other", ["reflect", "dense", "alone"])
def test_it_knows_what_is_not_circular(other):
    layer = convolution(random(1, 1, 3), 8)
    reflected = GatherOperator(torch.tensor([1, 0, 1, 2, 3, 4, 5, 4]), Size((1, 6)))
    operators = {
        "reflect": CompositionOperator((reflected, layer)),
        "dense": CompositionOperator((DenseOperator(random(8, 6)), layer)),
        "alone": layer,
    }
    assert UPPERS["circular"]().cost(operators[other]) == math.inf
