"""Lipschitz constants of activations: never below the steepest slope, and no more than a hair above it."""

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lipcert.analyses.lipschitz import gains, unsupported
from lipcert.rules import LayerNorms, UnboundedError
from lipcert.rules.activation import SLOPES
from tests.captured import graph_from

ACTIVATIONS = {
    "relu": nn.ReLU(),
    "leaky relu": nn.LeakyReLU(0.2),
    "leaky relu, steep": nn.LeakyReLU(-1.5),
    "prelu": nn.PReLU(init=1.3),
    "elu": nn.ELU(),
    "elu, steep": nn.ELU(alpha=2.5),
    "selu": nn.SELU(),
    "celu": nn.CELU(alpha=0.5),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "gelu tanh": nn.GELU(approximate="tanh"),
    "mish": nn.Mish(),
    "softplus": nn.Softplus(beta=2.0),
    "log sigmoid": nn.LogSigmoid(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "hardswish": nn.Hardswish(),
    "hardsigmoid": nn.Hardsigmoid(),
    "hardtanh": nn.Hardtanh(-0.5, 2.0),
    "relu6": nn.ReLU6(),
    "clamp": lambda x: x.clamp(min=-1.0),
    "abs": torch.abs,
    "neg": torch.neg,
    "sin": torch.sin,
    "cos": torch.cos,
    "atan": torch.atan,
    "asinh": torch.asinh,
    "erf": torch.erf,
}
UNBOUNDED = {
    "exp": torch.exp,
    "square": lambda x: x * x,
    "cube": lambda x: x**3,
    "sqrt": torch.sqrt,
    "sign": torch.sign,
    "product": lambda x: x * x.sin(),
    "quotient": lambda x: x / (1.0 + x.exp()),
    "reciprocal": lambda x: 1.0 / x,
    "rounded quotient": lambda x: torch.div(x, 2.0, rounding_mode="floor"),
    "attention": lambda x: torch.bmm(x, x.transpose(1, 2).softmax(-1)),
    "gather by value": lambda x: x.gather(1, x.argsort(1)),
}
GRID = torch.linspace(-30, 30, 600_001, dtype=torch.float64)


@functools.cache
def graph(function, *shape):
    return graph_from(function, *shape)


def constant(function, *shape):
    norms = LayerNorms(graph(function, *shape))
    values = {norm: gains(norms, norm)[norms.graph.output] for norm in ("l2", "linf", "l1")}
    assert max(values.values()) <= min(values.values()) * (1 + 1e-13)
    return max(values.values())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_constant_is_the_steepest_slope(name):
    function = ACTIVATIONS[name]
    function = function.double() if isinstance(function, nn.Module) else function
    x = GRID.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(function(x).sum(), x)
    found = constant(function.float() if isinstance(function, nn.Module) else function, 1)
    steepest = float(slopes.abs().max())
    assert steepest <= found * (1 + (1e-7 if name in {"prelu", "leaky relu, steep"} else 0))
    assert found <= steepest * (1 + 1e-6)


def test_every_activation_is_tried():
    tried = {node.op for f in ACTIVATIONS.values() for node in graph(f, 1).nodes}
    assert set(SLOPES) <= tried


@pytest.mark.parametrize("name", UNBOUNDED)
def test_what_has_no_constant_is_called_unbounded(name):
    shape = (3, 3) if name == "attention" else (4,)
    with pytest.raises(UnboundedError):
        constant(UNBOUNDED[name], *shape)


def test_gates_written_out_are_recognised():
    assert constant(lambda x: torch.sigmoid(x) * x, 3) == pytest.approx(1.0998393, rel=1e-6)
    assert constant(lambda x: x / (2.0 + x.abs()), 3) == pytest.approx(0.5)
    assert constant(lambda x: x * F.hardsigmoid(x), 3) == pytest.approx(1.5, rel=1e-9)


@pytest.mark.parametrize("function", [lambda x: torch.where(x > 0, x, 2.0 * x + 1.0), nn.Softshrink(0.3)])
def test_a_branch_on_the_value_has_no_rule(function):
    """It may jump or not; nothing is claimed either way."""
    assert unsupported(LayerNorms(graph_from(function, 3))) != ()
