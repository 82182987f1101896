"""The range of slopes of each activation: alpha <= (f(a) - f(b)) / (a - b) <= beta for all a != b.

Decimal ends are extrema of the derivatives, found with 30 digits and rounded outward in the ninth; the upper ones are
those of `activation`:

    silu  -0.0998393201288669600 at -2.39935728     gelu (erf)   -0.128904145185154786 at -sqrt(2)
    mish  -0.112526122389462556 at -2.25637640     gelu (tanh)  -0.12899306865877176 at -1.41850401

The increments of a monotone function lie in [0, beta]; hardswish has its steepest slopes at -3 and 3.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.graph.gates import is_smooth, self_gate
from lipcert.rounding import down, up
from lipcert.rules.activation import GELU, GELU_TANH, HARDSWISH, MISH, SILU, SIXTH
from lipcert.rules.base import argument

Range = tuple[float | Tensor, float | Tensor]

_SILU = (-0.099839321, SILU)
_GELU = (-0.128904146, GELU)
_GELU_TANH = (-0.128993069, GELU_TANH)
_MISH = (-0.112526123, MISH)
_UNIT = (0.0, 1.0)


def slope_range(node: Node) -> Range | None:
    """(alpha, beta) of a node that applies one function to each entry of one live value; None for any other.

    Numbers, or tensors that broadcast to the node's shape where the function differs by channel.
    """
    given = _RANGES.get(node.op)
    if given is None or len(node.inputs) != 1 or node.inputs[0].shape != node.shape:
        return None
    return given(node) if callable(given) else given


def gate_range(node: Node) -> tuple[Node, Range] | None:
    """(u, slopes) of a product u * gate(u) written out in several ops; None where it is none."""
    found = self_gate(node) if node.op == "mul" and len(node.inputs) > 1 else None
    return None if found is None or found[1] not in _GATES else (found[0], _GATES[found[1]])


def _leaky(node: Node) -> Range:
    slope = float(argument(node, 1, "negative_slope", 0.01))  # type: ignore[arg-type]
    return min(1.0, slope), max(1.0, slope)


def _prelu(node: Node) -> Range | None:
    weight = node.args[1]
    if not isinstance(weight, Tensor):
        return None
    weight = weight.to(torch.float64)
    weight = weight.reshape(1, -1, *[1] * (len(node.shape) - 2)) if weight.ndim == 1 and len(node.shape) > 1 else weight
    return weight.clamp_max(1.0), weight.clamp_min(1.0)


def _elu(node: Node) -> Range | None:
    alpha, scale, inner = (float(argument(node, *at, 1.0)) for at in ((1, "alpha"), (2, "scale"), (3, "input_scale")))  # type: ignore[arg-type]
    if min(alpha, scale, inner) < 0:
        return None
    return 0.0, up(up(scale * max(1.0, up(alpha * inner))))


def _celu(node: Node) -> Range | None:
    return _UNIT if float(argument(node, 1, "alpha", 1.0)) > 0 else None  # type: ignore[arg-type]


def _gelu(node: Node) -> Range:
    return _GELU if argument(node, 1, "approximate", "none") == "none" else _GELU_TANH


def _softplus(node: Node) -> Range | None:
    return _UNIT if is_smooth(node) else None


_RANGES: dict[str, Range | Callable[[Node], Range | None]] = {
    **dict.fromkeys(
        ("relu", "relu6", "hardtanh", "clamp", "clamp_min", "clamp_max", "tanh", "log_sigmoid_forward"), _UNIT
    ),
    "atan": _UNIT,
    "asinh": _UNIT,
    "sigmoid": (0.0, 0.25),
    "hardsigmoid": (0.0, SIXTH),
    "silu": _SILU,
    "mish": _MISH,
    "hardswish": (down(-0.5), up(HARDSWISH)),
    "abs": (-1.0, 1.0),
    "leaky_relu": _leaky,
    "_prelu_kernel": _prelu,
    "elu": _elu,
    "celu": _celu,
    "gelu": _gelu,
    "softplus": _softplus,
}
_GATES: dict[str, Range] = {
    "sigmoid": _SILU,
    "hardsigmoid": (-0.50000005, 1.50000005),
    "tanh of softplus": _MISH,
}
