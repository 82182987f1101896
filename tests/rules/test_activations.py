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
    "an exponent an entry": lambda x: x ** torch.tensor([1.0, 2.0, 1.0, 3.0]),
    "sqrt": torch.sqrt,
    "sign": torch.sign,
    "product": lambda x: x * x.sin(),
    "quotient": lambda x: x / (1.0 + x.exp()),
    "reciprocal": lambda x: 1.0 / x,
    "rounded quotient": lambda x: torch.div(x, 2.0, rounding_mode="floor"),
    "attention": lambda x: torch.bmm(x, x.transpose(1, 2).softmax(-1)),
    "softplus, cut off": nn.Softplus(threshold=1.0),
    "mish, cut off": lambda x: x * torch.tanh(F.softplus(x, threshold=1.0)),
    "kept unsorted": lambda x: torch.topk(x, 2, sorted=False)[0],
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


SPELT_OUT = {
    "silu": lambda x: torch.sigmoid(x) * x,
    "softsign": lambda x: x / (2.0 + x.abs()),
    "hardswish": lambda x: x * F.hardsigmoid(x),
    "hardswish by clamp": lambda x: x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
    "gelu, half first": lambda x: x * 0.5 * (1.0 + torch.erf(x / 2**0.5)),
    "gelu, half last": lambda x: x * (torch.erf(x / 2**0.5) + 1.0) * 0.5,
    "gelu of a negative": lambda x: x * (torch.erf(x * -0.7) + 1.0),
    "mish": lambda x: x * torch.tanh(F.softplus(x)),
}


@pytest.mark.parametrize("name", SPELT_OUT)
def test_gates_written_out_are_recognised(name):
    x = GRID.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(SPELT_OUT[name](x).sum(), x)
    found = constant(SPELT_OUT[name], 3)
    assert float(slopes.abs().max()) <= found * (1 + 1e-7)
    assert found <= float(slopes.abs().max()) * (1 + 1e-6)


NOT_GATES = {
    "gate of another": lambda x: x * torch.sigmoid(x.sin()),
    "gate of a wider value": lambda x: x * torch.sigmoid(x[:, :1]),
    "erf of another": lambda x: x * (torch.erf(x.tanh()) + 1.0),
    "erf shifted by two": lambda x: x * (torch.erf(x) + 2.0),
    "clamp of another width": lambda x: x * (x + 3.0).clamp(0.0, 7.0),
}


@pytest.mark.parametrize("name", NOT_GATES)
def test_other_products_are_not_mistaken_for_gates(name):
    with pytest.raises(UnboundedError):
        constant(NOT_GATES[name], 3)


@pytest.mark.parametrize("function", [lambda x: torch.where(x > 0, x, 2.0 * x + 1.0), nn.Softshrink(0.3)])
def test_a_branch_on_the_value_has_no_rule(function):
    """It may jump or not; nothing is claimed either way."""
    assert unsupported(LayerNorms(graph_from(function, 3))) != ()
