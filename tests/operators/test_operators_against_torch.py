"""Each operator against the torch function it stands for."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Size

from lipcert.operators import AdjointOperator, ConvolutionOperator, SeparableOperator
from lipcert.operators.pooling import adaptive_average_matrix, average_matrix
from tests.norms.configurations import configuration
from tests.operator_examples import EXAMPLES, random

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
SPREAD = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
small = settings(max_examples=60, deadline=None)


@st.composite
def geometries(draw):
    axes = draw(st.integers(1, 3))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    return {
        "size": each(1, 6),
        "kernel": each(1, 4),
        "stride": each(1, 4),
        "padding": each(0, 5),
        "dilation": each(1, 3),
        "groups": draw(st.integers(1, 3)),
        "in": draw(st.integers(1, 2)),
        "out": draw(st.integers(1, 2)),
    }


@small
@given(geometries())
def test_convolution(g):
    assume(
        all(
            n + 2 * p >= d * (k - 1) + 1
            for n, p, d, k in zip(g["size"], g["padding"], g["dilation"], g["kernel"], strict=True)
        )
    )
    weight = random(g["out"] * g["groups"], g["in"], *g["kernel"])
    kinds = {"stride": g["stride"], "dilation": g["dilation"], "groups": g["groups"]}
    operator = ConvolutionOperator(weight, g["size"], padding=[(p, p) for p in g["padding"]], **kinds)
    x = random(2, *operator.in_shape, seed=3).requires_grad_()
    y = CONVOLVE[len(g["size"])](x, weight, padding=g["padding"], **kinds)
    torch.testing.assert_close(operator.apply(x), y)
    back = random(*y.shape, seed=4)
    (pulled,) = torch.autograd.grad(y, x, back)
    torch.testing.assert_close(operator.adjoint(back), pulled)


@small
@given(geometries(), st.data())
def test_transposed_convolution(g, data):
    outputs = g["size"]
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(g["stride"], g["dilation"], strict=True))
    size = tuple(
        (o - 1) * s - 2 * p + d * (k - 1) + e + 1
        for o, s, p, d, k, e in zip(outputs, g["stride"], g["padding"], g["dilation"], g["kernel"], extra, strict=True)
    )
    assume(min(size) >= 1)
    weight = random(g["in"] * g["groups"], g["out"], *g["kernel"])
    kinds = {"stride": g["stride"], "dilation": g["dilation"], "groups": g["groups"]}
    inner = ConvolutionOperator(weight, size, padding=[(p, p) for p in g["padding"]], outputs=outputs, **kinds)
    operator = AdjointOperator(inner)
    x = random(2, *operator.in_shape, seed=3)
    expected = SPREAD[len(size)](x, weight, padding=g["padding"], output_padding=extra, **kinds)
    torch.testing.assert_close(operator.apply(x), expected)


@small
@given(
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 3]),
    st.data(),
)
def test_average_pooling(size, kernel, stride, ceil, count_include_pad, override, data):  # noqa: PLR0917
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    assume(all(n + 2 * p >= k for n, p, k in zip(size, padding, kernel, strict=True)))
    matrices = [
        average_matrix(n, k, s, p, ceil=ceil, count_include_pad=count_include_pad, divide=override is None)
        for n, k, s, p in zip(size, kernel, stride, padding, strict=True)
    ]
    x = random(2, 3, *size)
    expected = torch.ops.aten.avg_pool2d(x, kernel, stride, padding, ceil, count_include_pad, override)
    operator = SeparableOperator((None, *matrices), Size((3, *size)))
    torch.testing.assert_close(operator.apply(x) / (override or 1), expected)


@small
@given(st.integers(1, 9), st.integers(1, 9))
def test_adaptive_average_pooling(size, windows):
    x = random(1, 1, size)
    expected = F.adaptive_avg_pool1d(x, windows)
    torch.testing.assert_close(x @ adaptive_average_matrix(size, windows).T, expected)


def test_the_transposed_example_is_what_it_says():
    operator = EXAMPLES["transposed"]
    x = random(2, 4, 3, 2, seed=5)
    expected = F.conv_transpose2d(x, random(4, 3, 2, 2), stride=3, padding=1, output_padding=2, groups=2)
    torch.testing.assert_close(operator.apply(x), expected)


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_of_small_images_is_convolved_as_one_by_one(seed):
    """Several images share one matrix product, a single one goes through torch's convolution."""
    operator = configuration(4000 + seed)
    x, y = random(3, *operator.in_shape, seed=seed), random(3, *operator.out_shape, seed=seed + 1)
    for way, batch in ((operator.apply, x), (operator.adjoint, y)):
        together, apart = way(batch), torch.cat([way(one[None]) for one in batch])
        assert torch.allclose(together, apart, rtol=1e-12, atol=1e-12 * float(apart.abs().max()))
