"""Bounds on rounding against exact rational arithmetic, and op by op against perturbed inputs."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph
from lipcert.rules.forward_error import _Evaluation, bounded_logits
from lipcert.rules.rounding import RULES, Rounded
from tests import graphs

aten = torch.ops.aten


def _exact(layers, x):
    values = [Fraction(v) for v in x.tolist()]
    for depth, (weight, bias) in enumerate(layers):
        values = [
            sum(Fraction(w) * v for w, v in zip(row, values, strict=True)) + Fraction(b)
            for row, b in zip(weight.tolist(), bias.tolist(), strict=True)
        ]
        values = [max(v, Fraction(0)) for v in values] if depth < len(layers) - 1 else values
    return values


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.lists(st.integers(1, 7), min_size=2, max_size=5), st.floats(-8, 8))
def test_exact_logits_lie_within_the_bound(seed, widths, scale):
    layers = [
        (graphs.random(rows, columns, seed=seed + i) * 10**scale, graphs.random(rows, seed=seed + 90 + i))
        for i, (columns, rows) in enumerate(zip(widths, [*widths[1:], 3], strict=True))
    ]
    x = graphs.random(2, widths[0], seed=seed)
    result = bounded_logits(graphs.mlp_of(layers), x)
    for row, value, error in zip(x, result.value.tolist(), result.error.tolist(), strict=True):
        for exact, v, e in zip(_exact(layers, row), value, error, strict=True):
            assert abs(Fraction(v) - exact) <= Fraction(e)


def test_the_bound_is_small_and_the_value_is_the_float64_one():
    graph, x = graphs.conv(), graphs.uniform(5, 2, 6, 6)
    result = bounded_logits(graph, x, batch_size=2)
    torch.testing.assert_close(result.value, graph.to(dtype=torch.float64)(x.double()), rtol=0, atol=1e-13)
    assert float(result.error.max()) < 1e-11
    assert float(result.error.min()) > 0


C, B = graphs.random(3, 2, 2, 2, seed=1).double(), graphs.random(3, seed=2).double()
W = graphs.random(32, 5, seed=3).double()
TWO = torch.tensor([0.5, 2.0], dtype=torch.float64)
EXAMPLES = {
    "convolution": lambda x: aten.convolution.default(x, C, B, [1, 1], [1, 1], [1, 1], False, [0, 0], 1),
    "transposed": lambda x: aten.convolution.default(x, C.transpose(0, 1), B, [2, 2], [0, 0], [1, 1], True, [0, 0], 1),
    "addmm": lambda x: aten.addmm.default(graphs.random(5).double(), aten.view.default(x, [-1, 32]), W),
    "mm": lambda x: aten.mm.default(aten.view.default(x, [-1, 32]), W),
    "linear": lambda x: aten.linear.default(x, graphs.random(3, 4).double()),
    "avg_pool2d by a number below zero": lambda x: aten.avg_pool2d.default(x, [2, 2], [2, 2], [0, 0], False, True, -3),
    "avg_pool2d": lambda x: aten.avg_pool2d.default(x, [3, 3], [2, 2], [1, 1]),
    "_adaptive_avg_pool2d": lambda x: aten._adaptive_avg_pool2d.default(x, [3, 3]),
    "mean": lambda x: aten.mean.dim(x, [-1, -2]),
    "sum": lambda x: aten.sum.dim_IntList(x, [1]),
    "max_pool2d_with_indices": lambda x: aten.max_pool2d_with_indices.default(x, [3, 3], [1, 1], [1, 1])[0],
    "amax": lambda x: aten.amax.default(x, [1]),
    "relu": aten.relu.default,
    "clamp": lambda x: aten.clamp.default(x, -0.3, 0.4),
    "neg": aten.neg.default,
    "abs": aten.abs.default,
    "hardtanh": aten.hardtanh.default,
    "leaky_relu": lambda x: aten.leaky_relu.default(x, 2.5),
    "_prelu_kernel": lambda x: aten._prelu_kernel.default(x, torch.tensor([-3.0, 0.1]).double()[:, None, None]),
    "elu": lambda x: aten.elu.default(x, 1.5, 1.1, 1.2),
    "celu": lambda x: aten.celu.default(x, 0.5),
    "sigmoid": aten.sigmoid.default,
    "tanh": aten.tanh.default,
    "gelu": aten.gelu.default,
    "gelu_tanh": lambda x: aten.gelu.default(x, approximate="tanh"),
    "silu": aten.silu.default,
    "softplus": lambda x: aten.softplus.default(x, 3.0),
    "softplus mirrored": lambda x: aten.softplus.default(x, -3.0, 1.0),
    "mish": aten.mish.default,
    "hardsigmoid": aten.hardsigmoid.default,
    "hardswish": aten.hardswish.default,
    "log_sigmoid_forward": lambda x: aten.log_sigmoid_forward.default(x)[0],
    "add": lambda x: aten.add.Tensor(x, aten.relu.default(x), alpha=-3),
    "sub": lambda x: aten.sub.Tensor(TWO[:, None, None], x),
    "mul": lambda x: aten.mul.Tensor(x, -TWO[:, None, None]),
    "square": lambda x: aten.mul.Tensor(x, x),
    "div": lambda x: aten.div.Tensor(x, -TWO[:, None, None]),
    "native_batch_norm": lambda x: aten.native_batch_norm.default(x, TWO, None, -TWO, TWO, False, 0.1, 1e-5)[0],
    "constant_pad_nd": lambda x: aten.constant_pad_nd.default(x, [1, 1], -7.0),
    "cat": lambda x: aten.cat.default([x, aten.relu.default(x), torch.ones(1, 2, 4, 4).double()], 2),
    "split": lambda x: aten.split.Tensor(x, 1, 1)[1],
    "permute": lambda x: aten.permute.default(x, [0, 3, 1, 2]),
}


class _Module(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("spread", [1e-9, 0.3])
def test_each_rule_covers_every_input_within_the_given_error(name, spread):
    """An input error is injected by a first op whose rule is known, and every input it allows is tried."""
    function = EXAMPLES[name]
    x = 2 * graphs.random(1, 2, 4, 4, seed=5, dtype=torch.float64)
    error = spread * graphs.uniform(1, 2, 4, 4, seed=6, dtype=torch.float64)
    module = torch.fx.symbolic_trace(_Module(function))
    result = _Evaluation(module).run(Rounded(x, error))
    for seed in range(40):
        shift = graphs.random(1, 2, 4, 4, seed=100 + seed, dtype=torch.float64)
        shift = shift.sign() if seed % 2 else shift.clamp(-1, 1)
        reached = module(x + 0.999999 * error * shift)
        assert ((reached - result.value).abs() <= result.error + 1e-15).all()


def test_every_rule_of_arithmetic_has_an_example():
    moving = {name for name, rule in RULES.items() if rule.__name__ == "_moving"}
    same = {"matmul", "bmm", "avg_pool1d", "avg_pool3d", "relu6", "clamp_min", "clamp_max"}
    assert set(RULES) - moving - same <= set(EXAMPLES)


def test_ops_without_a_rule_are_named():
    module = torch.fx.symbolic_trace(_Module(lambda x: aten.softmax.int(aten.exp.default(x), 1)))
    with pytest.raises(UnsupportedOperatorError, match="exp") as caught:
        bounded_logits(Graph(module, (3,), names={}), torch.rand(2, 3))
    assert caught.value.operators == ("exp", "softmax")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: aten.bmm.default(x, aten.transpose.int(x, 1, 2)),
        lambda x: aten.clamp.Tensor(x, aten.mul.Tensor(x, x)),
        lambda x: aten.div.Tensor_mode(x, 2.0, rounding_mode="floor"),
    ],
    ids=["product of two", "clamp to a live end", "whole quotient"],
)
def test_what_the_inputs_errors_do_not_bound_is_refused(function):
    module = torch.fx.symbolic_trace(_Module(function))
    with pytest.raises(UnsupportedOperatorError):
        bounded_logits(Graph(module, (3, 2), names={}), torch.rand(2, 3, 2))


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda x: aten.div.Tensor(x, 0.3), 1 / Fraction(0.3)),
        (lambda x: aten.mul.Tensor(x, 0.7), Fraction(0.7)),
        (lambda x: aten.add.Tensor(x, x, alpha=0.7), 1 + Fraction(0.7)),
    ],
)
def test_python_numbers_count_in_full_precision(function, slope):
    """As float32, 0.3 is larger than 0.3, and 0.7 smaller than 0.7."""
    one = torch.ones(1, dtype=torch.float64)
    result = _Evaluation(torch.fx.symbolic_trace(_Module(function))).run(Rounded(one, one))
    assert Fraction(result.error.item()) >= slope
