"""Interval, linear bounds and rounding of a node that applies one curve to every entry.

Rounding of the deployed network. What selects, negates or takes the absolute value rounds nothing. The library's
float32 functions are taken to err by at most 16 units of roundoff of

    |y|               exp, cosh, powers and roots
    1 + |y|           what saturates: sigmoid, tanh, erf, atan, hard sigmoid
    1 + |x| + |y|     everything else, where x is the argument and y the value

which is 8 units in the last place; the vector libraries in use state 1 to 4 for their elementary functions, of which
these are made of at most three. In bfloat16 they are computed in float32 and the result is stored.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.rounding import UNIT_ROUNDOFF
from lipcert.rules.curves import Curve, enclose, span
from lipcert.rules.curves.catalogue import setting
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.relaxation import AbstractRelaxation, Constant, Elementwise

_UNITS = 16
_UNDERFLOW = 2.0**-126
_EXACT = {"relu", "relu6", "abs", "neg", "sign"}
_CLIPS = {"clamp", "clamp_min", "clamp_max", "hardtanh"}
_PRODUCTS = {"leaky_relu", "_prelu_kernel"}
_RELATIVE = {"exp", "cosh", "sqrt", "rsqrt", "reciprocal", "square", "pow"}
_SATURATING = {"sigmoid", "tanh", "erf", "atan", "hardsigmoid"}


def curve_interval(node: Node, curve: Curve, x: Interval) -> Interval:
    """The curve's extremes over the interval of its input; NaN where that leaves the domain."""
    shape = (len(x.lower), *entries(node))
    lower, upper = (end.broadcast_to(shape) for end in (x.lower, x.upper))
    return Interval(*span(curve, lower, upper))


def curve_relaxation(node: Node, curve: Curve, x: Interval, output: Interval) -> AbstractRelaxation:
    """The two lines around the curve; the output's interval where broadcasting makes entries of one."""
    if x.lower.shape[1:] != entries(node):
        return Constant(output)
    lines = enclose(curve, x.lower, x.upper)
    steep = torch.maximum(lines.lower_slope.abs(), lines.upper_slope.abs())
    return Elementwise(
        lower_slope=lines.lower_slope,
        upper_slope=lines.upper_slope,
        lower_offset=lines.lower_offset,
        upper_offset=lines.upper_offset,
        slack=8 * UNIT_ROUNDOFF * steep * x.magnitude,
    )


def curve_rounding(node: Node, x: Interval, output: Interval, deployment: Deployment) -> Tensor | float:
    """The deployed value's distance from the curve, as assumed above."""
    if node.op in _EXACT or not deployment.store:
        return 0.0
    if node.op in _CLIPS:
        return _misread(node, deployment)
    size = output.magnitude
    if node.op in _PRODUCTS:
        return deployment.steps(2) * size + _UNDERFLOW
    size = size + cut_off(node) / deployment.store
    if node.op not in _RELATIVE:
        size = size + (1.0 if node.op in _SATURATING else 1.0 + x.magnitude)
    return (_UNITS * deployment.accumulate + 2 * deployment.store) * size + _UNDERFLOW


def _misread(node: Node, deployment: Deployment) -> Tensor | float:
    """What the ends of a clamp lose when they are read in the deployed arithmetic."""
    ends = [setting(node, at, name, None) for at, name in ((1, "min"), (2, "max"))]
    lost: Tensor | float = 0.0
    for end in ends:
        if end is not None:
            moved = deployment.misread(torch.as_tensor(end, dtype=torch.float64))
            lost = lost + (moved if moved.ndim else float(moved))
    return lost


def cut_off(node: Node) -> float:
    """How far softplus falls or rises where its threshold cuts the logarithm off: rounding decides on which side."""
    if node.op != "softplus":
        return 0.0
    beta, threshold = setting(node, 1, "beta", 1.0), setting(node, 2, "threshold", 20.0)
    return 1.001 * math.log1p(math.exp(-float(threshold))) / abs(float(beta))
