"""Which curve an op draws: one for each ATen op that applies a function of one variable to every entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.rules.curves import exponentials, gates, kinked, powers, sigmoids, waves
from lipcert.rules.curves.curve import Curve

Maker = Callable[[Node], Curve | None]


def curve_of(node: Node) -> Curve | None:
    """The curve that the node applies to its one live input; None where it is another op or its parameters are live."""
    maker = CURVES.get(node.op)
    return maker(node) if maker is not None and len(node.inputs) == 1 else None


def setting(node: Node, position: int, name: str, default: Any) -> Any:
    """A number as a float, a tensor in float64, None as it is."""
    value = node.args[position] if len(node.args) > position else node.kwargs.get(name, default)
    if value is None or isinstance(value, Node | str):
        return value
    if isinstance(value, Tensor) and value.numel() != 1:
        return value.to(torch.float64)
    return float(value)


def _fixed(make: Callable[[], Curve]) -> Maker:
    curve = make()
    return lambda _: curve


def _leaky(node: Node) -> Curve:
    return kinked.bent(setting(node, 1, "negative_slope", 0.01), 1.0)


def _prelu(node: Node) -> Curve | None:
    weight = setting(node, 1, "weight", None)
    return None if isinstance(weight, Node) else kinked.bent(weight, 1.0)


def _clamp(node: Node) -> Curve:
    return kinked.clipped(setting(node, 1, "min", None), setting(node, 2, "max", None))


def _hardtanh(node: Node) -> Curve:
    return kinked.clipped(setting(node, 1, "min_val", -1.0), setting(node, 2, "max_val", 1.0))


def _elu(node: Node) -> Curve:
    numbers = ((1, "alpha"), (2, "scale"), (3, "input_scale"))
    return exponentials.elu(*(setting(node, *at, 1.0) for at in numbers))


def _celu(node: Node) -> Curve | None:
    alpha = setting(node, 1, "alpha", 1.0)
    return exponentials.elu(alpha, 1.0, 1.0 / alpha) if alpha else None


def _softplus(node: Node) -> Curve | None:
    beta = setting(node, 1, "beta", 1.0)
    return exponentials.softplus(beta, setting(node, 2, "threshold", 20.0)) if beta else None


def _gelu(node: Node) -> Curve:
    return gates.gelu() if setting(node, 1, "approximate", "none") == "none" else gates.gelu_tanh()


def _power(node: Node) -> Curve | None:
    base, exponent = (node.args[0], node.args[1])
    if isinstance(base, Node):
        exponent = setting(node, 1, "exponent", None)
        return powers.power(exponent) if isinstance(exponent, float) else None
    number = setting(node, 0, "self", None)
    return exponentials.power_of(number) if isinstance(number, float) and number > 0.0 and number != 1.0 else None


CURVES: dict[str, Maker] = {
    "relu": _fixed(lambda: kinked.bent(0.0, 1.0)),
    "relu6": _fixed(lambda: kinked.clipped(0.0, 6.0)),
    "leaky_relu": _leaky,
    "_prelu_kernel": _prelu,
    "abs": _fixed(lambda: kinked.bent(-1.0, 1.0)),
    "neg": _fixed(lambda: kinked.bent(-1.0, -1.0)),
    "clamp": _clamp,
    "clamp_min": lambda node: kinked.clipped(setting(node, 1, "min", None), None),
    "clamp_max": lambda node: kinked.clipped(None, setting(node, 1, "max", None)),
    "hardtanh": _hardtanh,
    "hardsigmoid": _fixed(kinked.hardsigmoid),
    "hardswish": _fixed(kinked.hardswish),
    "sign": _fixed(lambda: kinked.steps((0.0, 0.0), (-1.0, 0.0, 1.0))),
    "elu": _elu,
    "celu": _celu,
    "softplus": _softplus,
    "log_sigmoid_forward": _fixed(exponentials.log_sigmoid),
    "gelu": _gelu,
    "silu": _fixed(gates.silu),
    "mish": _fixed(gates.mish),
    "sigmoid": _fixed(sigmoids.sigmoid),
    "tanh": _fixed(sigmoids.tanh),
    "erf": _fixed(sigmoids.erf),
    "atan": _fixed(sigmoids.atan),
    "asinh": _fixed(sigmoids.asinh),
    "exp": _fixed(exponentials.exp),
    "expm1": _fixed(exponentials.expm1),
    "sinh": _fixed(exponentials.sinh),
    "cosh": _fixed(exponentials.cosh),
    "log": _fixed(exponentials.log),
    "log1p": _fixed(lambda: exponentials.log(1.0)),
    "sqrt": _fixed(powers.sqrt),
    "rsqrt": _fixed(lambda: powers.power(-0.5)),
    "reciprocal": _fixed(lambda: powers.power(-1.0)),
    "square": _fixed(lambda: powers.power(2.0)),
    "pow": _power,
    "sin": _fixed(waves.sin),
    "cos": _fixed(waves.cos),
}
