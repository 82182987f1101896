"""Products u * gate(u) written out in several ops, bounded as one curve of u: silu, gelu, mish, hardswish.

The deployed gate is not the gate of the deployed u. Along its ops, each with a Lipschitz constant L_i and a rounding
r_i, the distance e from the gate's formula at the deployed u grows as e -> L_i e + r_i, from what reading u in the
units of the gate costs: nothing, where the gate reads u itself. The product then errs by |u| e, and its own rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.graph.gates import Gate, self_gate, unscaled
from lipcert.rules.base import RULES, AbstractRule
from lipcert.rules.curved import curve_interval, curve_relaxation, cut_off
from lipcert.rules.curves import gates, kinked
from lipcert.rules.curves.curve import Curve
from lipcert.rules.curves.stretched import stretched
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval
from lipcert.rules.relaxation import AbstractRelaxation

_CURVES: dict[Gate, Curve] = {
    "sigmoid": gates.silu(),
    "hardsigmoid": kinked.hardswish(),
    "one plus erf": gates.gelu(),
    "tanh of softplus": gates.mish(),
    "shifted clamp": kinked.hardswish(),
}
_LIPSCHITZ = {"erf": 1.13, "sigmoid": 0.25, "hardsigmoid": 0.17}  # of all others in the chains at most 1
_STEEPEST = 8.0
_TINY = 1e-300
_UNDERFLOW = 2.0**-120  # far above what flushed denormal numbers change


@final
@dataclass(frozen=True, eq=False)
class SelfGated:
    """A product that reads one value u twice, once through a gate.

    value  u
    chain  the ops of the gate, first one first
    scale  v = scale u is what the gate reads first
    """

    node: Node
    value: Node
    gate: Gate
    chain: tuple[Node, ...]
    scale: float

    @cached_property
    def curve(self) -> Curve:
        """The product as a function of u."""
        height, width = self._units
        return stretched(_CURVES[self.gate], height, width)

    @property
    def _units(self) -> tuple[float, float]:
        if self.gate == "one plus erf":
            width = math.sqrt(2.0) * self.scale * _factor(self.chain[0])
            return 2.0 / width, width
        return (6.0 if self.gate == "shifted clamp" else 1.0) / self.scale, self.scale

    @property
    def plain(self) -> bool:
        """Whether the units are such that the curve is computed as accurately as it says."""
        if not math.isfinite(self.scale) or self.scale == 0.0:
            return False
        width = self._units[1]
        return 1 / _STEEPEST <= abs(width) <= _STEEPEST and abs(self._units[0] * width) <= _STEEPEST

    def interval(self, u: Interval) -> Interval:
        """The curve's extremes."""
        return curve_interval(self.node, self.curve, u)

    def relaxation(self, u: Interval, output: Interval) -> AbstractRelaxation:
        """The two lines around the curve."""
        return curve_relaxation(self.node, self.curve, u, output)

    def rounding(self, u: Interval, output: Interval, deployment: Deployment) -> Tensor | float:
        """At least |deployed product - curve at the deployed u|."""
        error = self._error(u, deployment)
        if not deployment.store:
            return u.magnitude * error
        lost = u.magnitude * error
        return lost + deployment.steps(3) * (output.magnitude + lost) + 2.0**-149

    def _error(self, u: Interval, deployment: Deployment) -> Tensor:
        """At least |deployed gate - its formula at the deployed u|."""
        exact = self.scale == 1.0
        ends = self.scale * u.lower, self.scale * u.upper
        x = Interval(torch.minimum(*ends), torch.maximum(*ends))
        error = torch.zeros_like(x.lower)
        if not exact:
            error = (deployment.steps(4) + 2.0**-50) * x.magnitude + _TINY
            error = error + (2.0**-148 * (1 + abs(self.scale)) if deployment.store else 0.0)
            x = x.widen(error)
        for node in self.chain:
            rule: AbstractRule = RULES[node.op]()
            box = rule.interval(node, (x,))
            rounded = rule.rounding(node, (x,), box, deployment)
            if deployment.store:
                rounded = rounded + _UNDERFLOW * (1 + x.magnitude)
            steep = abs(_factor(node)) if node.op in {"mul", "div"} else _LIPSCHITZ.get(node.op, 1.0)
            error = (steep * error + rounded + cut_off(node)) * (1 + 2.0**-48)
            x = box.widen(rounded)
        return error


def self_gated(node: Node) -> SelfGated | None:
    """What a product is, if it is one of these; None where it is none."""
    found = self_gate(node) if node.op == "mul" and len(node.inputs) == 2 and not node.kwargs else None
    if found is None:
        return None
    value, gate = found
    last = node.args[1] if node.args[0] is value else node.args[0]
    chain, base = [last], unscaled(value)
    while chain[-1].inputs[0] not in {value, base}:
        chain.append(chain[-1].inputs[0])
    source = chain[-1].inputs[0]
    scale = 1.0 if source is value else 1.0 / _factor(value)
    product = SelfGated(node, value, gate, tuple(reversed(chain)), scale)
    return product if product.plain else None


def _factor(node: Node) -> float:
    """The number that a node multiplies with; 1 for any other op."""
    if node.op not in {"mul", "div"} or len(node.inputs) != 1:
        return 1.0
    number = float(node.args[1] if isinstance(node.args[0], Node) else node.args[0])
    return 1.0 / number if node.op == "div" and number else number
