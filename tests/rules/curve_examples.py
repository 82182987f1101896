"""One-variable functions for tests of curves: at least one for each op that has a curve."""

import functools

import torch
import torch.nn.functional as F
from torch import nn

from lipcert.rules.curves import CURVES, curve_of
from tests.captured import graph_from

aten = torch.ops.aten
FUNCTIONS = {
    "relu": torch.relu,
    "relu6": nn.ReLU6(),
    "leaky relu": lambda x: F.leaky_relu(x, 0.2),
    "leaky relu, falling": lambda x: F.leaky_relu(x, -1.5),
    "leaky relu, steep": lambda x: F.leaky_relu(x, 2.5),
    "prelu": nn.PReLU(init=0.3),
    "abs": torch.abs,
    "neg": torch.neg,
    "clamp": lambda x: x.clamp(-0.75, 1.5),
    "clamp below": lambda x: x.clamp(min=-1.0),
    "clamp above": lambda x: x.clamp(max=2.0),
    "clamp, crossed": lambda x: x.clamp(1.0, -1.0),
    "clamp_min": lambda x: aten.clamp_min.default(x, 0.5),
    "clamp_max": lambda x: aten.clamp_max.default(x, 0.5),
    "hardtanh": nn.Hardtanh(-0.5, 2.0),
    "hardsigmoid": nn.Hardsigmoid(),
    "hardswish": nn.Hardswish(),
    "sign": torch.sign,
    "elu": nn.ELU(),
    "elu, steep": nn.ELU(alpha=2.5),
    "elu, concave": nn.ELU(alpha=-1.5),
    "selu": nn.SELU(),
    "celu": nn.CELU(alpha=0.5),
    "softplus": nn.Softplus(),
    "softplus, cut off": nn.Softplus(beta=2.0, threshold=1.0),
    "softplus, mirrored": nn.Softplus(beta=-2.0, threshold=20.0),
    "log sigmoid": nn.LogSigmoid(),
    "gelu": nn.GELU(),
    "gelu tanh": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "erf": torch.erf,
    "atan": torch.atan,
    "asinh": torch.asinh,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "square": torch.square,
    "cube": lambda x: x**3,
    "fourth power": lambda x: x**4,
    "power of a fraction": lambda x: x**1.5,
    "small power": lambda x: x**0.3,
    "inverse square": lambda x: x**-2,
    "half to the power": lambda x: 0.5**x,
    "sin": torch.sin,
    "cos": torch.cos,
}
# What cannot be written with torch functions in a captured graph.
ABSENT = {"relu6", "clamp_min", "clamp_max", "square"}
JUMPING = {"sign", "softplus", "softplus, cut off", "softplus, mirrored"}


@functools.cache
def example(name):
    """(node, curve) of a function of one number, its constants in float64."""
    graph = graph_from(FUNCTIONS[name], 1).to(dtype=torch.float64)
    node = next(node for node in graph.nodes if node.op in CURVES)
    return node, curve_of(node)


def evaluate(name, x):
    """The op itself in float64."""
    value = example(name)[0].run(x)
    return (value if isinstance(value, torch.Tensor) else value[0]).reshape(x.shape)
