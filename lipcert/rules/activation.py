"""Activations applied to each entry: Lipschitz constant = the largest slope, rounded up.

A map that acts on entries alone has a diagonal Jacobian, so its constant is the same in l2, linf and l1. The decimal
constants are the maxima of the derivatives, found with 30 digits and rounded up in the ninth:

    silu  1.09983932012886696 at 2.39935728     gelu (erf)   1.12890414518515479 at sqrt(2)
    mish  1.08849816125172786 at 1.49057118     gelu (tanh)  1.12899306865876175 at 1.41850401
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.graph.gates import is_smooth
from lipcert.records import Norm
from lipcert.rounding import product_up, up
from lipcert.rules.base import AbstractRule, LinearNorms, UnboundedError, argument, copies_gain, rule, unsupported
from lipcert.rules.curved import curve_interval, curve_relaxation, curve_rounding
from lipcert.rules.curves import curve_of
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.rectifier import relu_relaxation
from lipcert.rules.relaxation import AbstractRelaxation, Constant

SILU = 1.099839321
GELU = 1.128904146
GELU_TANH = 1.128993069
MISH = 1.088498162
HARDSWISH = 1.5
ERF = 1.128379168  # 2 / sqrt(pi)
SIXTH = 0.166666672  # torch multiplies by the float32 nearest to 1/6


def _elu(node: Node) -> float:
    """Scale * x for x > 0, scale * alpha * (exp(input_scale x) - 1) otherwise."""
    alpha, scale, input_scale = (_number(node, *at, 1.0) for at in ((1, "alpha"), (2, "scale"), (3, "input_scale")))
    if input_scale < 0:
        raise UnboundedError(node, "its exponential grows to the left")
    steepest = max(abs(scale), up(abs(alpha * scale)) * max(1.0, input_scale))
    return up(up(steepest))


def _celu(node: Node) -> float:
    if _number(node, 1, "alpha", 1.0) <= 0:
        raise UnboundedError(node, "alpha must be positive")
    return 1.0


def _leaky(node: Node) -> float:
    return max(1.0, abs(_number(node, 1, "negative_slope", 0.01)))


def _prelu(node: Node) -> float:
    weight: Any = node.args[1]
    if isinstance(weight, Node):
        raise UnboundedError(node, "its slope depends on the input")
    return max(1.0, float(weight.abs().max()))


def _gelu(node: Node) -> float:
    return GELU if argument(node, 1, "approximate", "none") == "none" else GELU_TANH


def _softplus(node: Node) -> float:
    if not is_smooth(node):
        raise UnboundedError(node, "it jumps where its threshold cuts the logarithm off")
    return 1.0


def _number(node: Node, position: int, name: str, default: float) -> float:
    value: Any = argument(node, position, name, default)
    return float(value)


SLOPES: dict[str, float | Callable[[Node], float]] = {
    "relu": 1.0,
    "leaky_relu": _leaky,
    "_prelu_kernel": _prelu,
    "elu": _elu,
    "celu": _celu,
    "silu": SILU,
    "gelu": _gelu,
    "mish": MISH,
    "softplus": _softplus,
    "log_sigmoid_forward": 1.0,
    "sigmoid": 0.25,
    "tanh": 1.0,
    "hardswish": HARDSWISH,
    "hardsigmoid": SIXTH,
    "hardtanh": 1.0,
    "clamp": 1.0,
    "abs": 1.0,
    "neg": 1.0,
    "sin": 1.0,
    "cos": 1.0,
    "atan": 1.0,
    "asinh": 1.0,
    "erf": ERF,
}

# Slopes without a bound on the whole line; naming them keeps "unbounded" apart from "unknown op".
STEEP = {
    "exp": "its slope grows without bound",
    "expm1": "its slope grows without bound",
    "sinh": "its slope grows without bound",
    "cosh": "its slope grows without bound",
    "log": "its slope has no bound near zero",
    "log1p": "its slope has no bound near -1",
    "sqrt": "its slope has no bound near zero",
    "rsqrt": "its slope has no bound near zero",
    "reciprocal": "its slope has no bound near zero",
    "tan": "it has poles",
    "sign": "it jumps",
    "floor": "it jumps",
    "ceil": "it jumps",
    "round": "it jumps",
    "trunc": "it jumps",
    "hardshrink": "it jumps",
    "square": "its slope grows without bound",
}


@final
@rule(*SLOPES)
class Activation(AbstractRule):
    """The constant above times the gain of the input."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The largest slope, as often as broadcasting copies the input; clamp's ends must be constants."""
        if len(gains) != 1:
            raise UnboundedError(node, "its parameters depend on the input")
        slope = SLOPES[node.op]
        copies = node.shape.numel() // max(1, node.inputs[0].shape.numel())
        spread = copies_gain(copies, norm) if copies > 1 else 1.0  # only clamp's ends can be larger than its input
        return product_up((slope if isinstance(slope, float) else slope(node), spread, gains[0]))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The extremes of the curve."""
        return _interval(node, inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Lines on both sides; of ReLU the triangle, whose lower line may be chosen."""
        return _relaxation(node, inputs, output)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Of the library's function."""
        return _rounding(node, inputs, output, deployment)


@final
@rule(*STEEP)
class Steep(AbstractRule):
    """Ops of one input without a Lipschitz constant."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """None: raise UnboundedError, unless the input does not vary."""
        if gains == (0.0,):
            return 0.0
        raise UnboundedError(node, STEEP[node.op])

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The extremes of the curve."""
        return _interval(node, inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Lines on both sides; of ReLU the triangle, whose lower line may be chosen."""
        return _relaxation(node, inputs, output)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Of the library's function."""
        return _rounding(node, inputs, output, deployment)


@final
@rule("pow")
class Power(AbstractRule):
    """x ** n: the identity for n = 1, without a bound otherwise."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The input's gain for the exponent 1."""
        exponent = node.args[1]
        if isinstance(node.args[0], Node) and not isinstance(exponent, Node) and _is_one(exponent):
            return gains[0]
        raise UnboundedError(node, "its slope grows without bound")

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The extremes of the curve."""
        return _interval(node, inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Lines on both sides; of ReLU the triangle, whose lower line may be chosen."""
        return _relaxation(node, inputs, output)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Of the library's function."""
        return _rounding(node, inputs, output, deployment)


def _is_one(exponent: Any) -> bool:
    """Whether an exponent is the number 1; a tensor of exponents is not looked into."""
    value = torch.as_tensor(exponent)
    return value.numel() == 1 and float(value) == 1.0


# Steps without end: what lies between follows from the ends, and a constant is all a line can be.
_STAIRS = {"floor", "ceil", "round", "trunc"}


def _interval(node: Node, inputs: tuple[Interval, ...]) -> Interval:
    if node.op in _STAIRS:
        shape = (-1, *entries(node))
        lower, upper = (node.run(end) for end in (inputs[0].lower, inputs[0].upper))
        return Interval(lower.reshape(shape), upper.reshape(shape))
    curve = curve_of(node)
    if curve is None:
        raise unsupported(node, "interval")
    return curve_interval(node, curve, inputs[0])


def _relaxation(node: Node, inputs: tuple[Interval, ...], output: Interval) -> AbstractRelaxation:
    if node.op == "relu":
        return relu_relaxation(inputs[0])
    curve = curve_of(node)
    return Constant(output, len(inputs)) if curve is None else curve_relaxation(node, curve, inputs[0], output)


def _rounding(node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment) -> Tensor | float:
    return 0.0 if node.op in _STAIRS else curve_rounding(node, inputs[0], output, deployment)
