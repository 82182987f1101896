"""Sums, products and quotients, with constants and between branches."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.graph.gates import self_gate
from lipcert.operators import AbstractLinearOperator, AffineOperator, DiagonalOperator
from lipcert.records import Norm
from lipcert.rounding import product_up, sqrt_up, sum_up, up
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, UnboundedError, argument, copies_gain, rule
from lipcert.rules.curved import curve_interval, curve_relaxation
from lipcert.rules.curves import Curve
from lipcert.rules.curves.kinked import clipped
from lipcert.rules.deployment import Deployment
from lipcert.rules.factors import factor_interval, factor_relaxation
from lipcert.rules.interval import Interval
from lipcert.rules.largest import largest_interval, largest_relaxation
from lipcert.rules.relaxation import AbstractRelaxation
from lipcert.rules.self_gates import self_gated
from lipcert.rules.sums import signed_terms, sum_interval, sum_relaxation, sum_rounding
from lipcert.rules.window_places import paired


def _spread(node: Node, source: Node, norm: Norm) -> float:
    """Norm of broadcasting `source` to the node's shape."""
    return copies_gain(node.shape.numel() // max(1, source.shape.numel()), norm)


def _weights(node: Node) -> list[tuple[Node, float]]:
    """The live terms of a sum or difference, with the absolute value of their factors."""
    alpha: Any = argument(node, 2, "alpha", 1)
    factors = [abs(float(alpha)), 1.0] if node.op == "rsub" else [1.0, abs(float(alpha))]
    return [(term, factor) for term, factor in zip(node.args[:2], factors, strict=True) if isinstance(term, Node)]


@final
@rule("add", "sub", "rsub")
class Sum(AbstractRule):
    """a + alpha b: Lipschitz constants of branches add up. Adding a constant changes nothing."""

    def link(self, node: Node, /) -> DiagonalOperator | None:
        """The factor of the one live term, where it is not broadcast."""
        terms = signed_terms(node)
        if len(terms) != 1 or terms[0][0].shape != node.shape:
            return None
        return DiagonalOperator(torch.tensor(terms[0][1], dtype=torch.float64), node.shape)

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The sum over the live terms, each as often as it is broadcast."""
        terms = zip(_weights(node), gains, strict=True)
        return sum_up(product_up((factor, _spread(node, term, norm), gain)) for (term, factor), gain in terms)

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Ends add up."""
        return super().interval(node, inputs) if _one_alike(node) else sum_interval(node, inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """The rows go to both branches."""
        if _one_alike(node):
            return super().relaxation(node, inputs, output)
        return sum_relaxation(node, inputs)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """One rounding of the sum, one of a factor, and of a number as it is read."""
        if _one_alike(node):
            return super().rounding(node, inputs, output, deployment)
        return sum_rounding(node, inputs, output, deployment)


def _one_alike(node: Node) -> bool:
    """Whether a constant is added to one live value of the result's shape."""
    return len(node.inputs) == 1 and node.inputs[0].shape == node.shape


@final
@rule("maximum", "minimum")
class Extremum(AbstractRule):
    """|max(a, b) - max(a', b')| <= max(|a - a'|, |b - b'|), entry by entry."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The same norm of the branches' gains: their largest in linf, root of squares in l2, sum in l1."""
        spread = [product_up((_spread(node, term, norm), g)) for term, g in zip(node.inputs, gains, strict=True)]
        if norm == "linf":
            return max(spread)
        return sum_up(spread) if norm == "l1" else sqrt_up(sum_up(product_up((g, g)) for g in spread))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The extremum of the ends."""
        curve = _clip(node)
        if curve is not None:
            return curve_interval(node, curve, inputs[0])
        return largest_interval(paired(node), inputs, smallest=node.op == "minimum")

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Planes over two branches; with a constant, lines."""
        curve = _clip(node)
        if curve is not None:
            return curve_relaxation(node, curve, inputs[0], output)
        return largest_relaxation(paired(node), inputs, smallest=node.op == "minimum")

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """None, but for a number as it is read."""
        if len(node.inputs) == 2 or not deployment.store:
            return 0.0
        other = node.args[1] if isinstance(node.args[0], Node) else node.args[0]
        return deployment.misread(torch.as_tensor(other, dtype=torch.float64)).amax()


def _clip(node: Node) -> Curve | None:
    """The curve of an extremum with a constant."""
    if len(node.inputs) == 2:
        return None
    other = node.args[1] if isinstance(node.args[0], Node) else node.args[0]
    bound = torch.as_tensor(other, dtype=torch.float64)
    return clipped(bound, None) if node.op == "maximum" else clipped(None, bound)


@final
@rule("mul", "div")
class Scale(AbstractRule):
    """A product or quotient with a constant: one scale an entry. With a second live value it has no Lipschitz constant.

    A product u * gate(u) is one curve of u to whoever hands it the interval of u alone.
    """

    def operator(self, node: Node, /) -> AbstractLinearOperator | None:
        """The diagonal of the constant, or of its reciprocals; broadcasting the live value makes it more than that."""
        if argument(node, 2, "rounding_mode") is not None or len(node.inputs) != 1:
            return None
        first, second = node.args[:2]
        if node.op == "div" and not isinstance(first, Node):
            return None
        live, constant = (first, second) if isinstance(first, Node) else (second, first)
        values = torch.as_tensor(constant, dtype=torch.float64)  # else a Python number becomes a float32
        values = 1.0 / values if node.op == "div" else values
        if node.shape == live.shape:
            return DiagonalOperator(values, live.shape)
        return AffineOperator(lambda x: x * values, live.shape, device=values.device)

    def geometry(self, node: Node, /) -> Geometry:
        """Whether one number scales all."""
        operator = self.operator(node)
        one = isinstance(operator, DiagonalOperator) and operator.scale.numel() == 1
        return Geometry(description="scale" if one else "scale by channel or entry")

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The norm of the scale."""
        if argument(node, 2, "rounding_mode") is not None:
            raise UnboundedError(node, "it rounds, so it jumps")
        if len(node.inputs) > 1:
            gated = _gated(node)
            if gated is None:
                raise UnboundedError(node, f"a {_WORDS[node.op]} two values that both depend on the input")
            value, slope = gated
            return product_up((slope, gains[node.inputs.index(value)]))
        if node.op == "div" and not isinstance(node.args[0], Node):
            raise UnboundedError(node, "it divides by a value that depends on the input")
        return super().gain(node, gains, norm, norms)

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Of a scale exact, else by the ends of both factors; NaN where a divisor may vanish."""
        gated = self_gated(node) if len(inputs) < len(node.inputs) else None
        if gated is not None:
            return gated.interval(inputs[0])
        return super().interval(node, inputs) if self._diagonal(node) else factor_interval(node, inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Exact for a scale; a square and a reciprocal are curves; two live factors are linearised."""
        gated = self_gated(node) if len(inputs) < len(node.inputs) else None
        if gated is not None:
            return gated.relaxation(inputs[0], output)
        if self._diagonal(node):
            return super().relaxation(node, inputs, output)
        return factor_relaxation(node, inputs, output)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Of the result, of a reciprocal that is multiplied with instead, and of a number as it is read."""
        gated = self_gated(node) if len(inputs) < len(node.inputs) else None
        if gated is not None:
            return gated.rounding(inputs[0], output, deployment)
        return deployment.steps(3) * output.magnitude + 2.0**-149 if deployment.store else 0.0

    def _diagonal(self, node: Node) -> bool:
        return isinstance(self.operator(node), DiagonalOperator)


_WORDS = {"mul": "product of", "div": "quotient of"}
# The largest slopes of x * gate(x), as in `activation`: silu, hardswish by SIXTH, twice gelu, mish, 6 hardswish.
_GATES = {
    "sigmoid": 1.099839321,
    "hardsigmoid": 1.50000005,
    "one plus erf": 2.257808292,
    "tanh of softplus": 1.088498162,
    "shifted clamp": 9.0,
}


def _gated(node: Node) -> tuple[Node, float] | None:
    """The value u and the constant of u * gate(u / c) or u / (c + |u|), where the node is one of these; else None."""
    if node.op == "div":
        value, divisor = node.args[:2]
        floor = _softsign_floor(value, divisor)
        return None if floor is None else (value, up(1.0 / floor))
    found = self_gate(node)
    if found is None:
        return None
    value, gate = found
    return value, _GATES[gate]


def _softsign_floor(value: Node, divisor: Node) -> float | None:
    """C > 0 where `divisor` is c + |value|; the slope of x / (c + |x|) is c / (c + |x|)^2 <= 1 / c."""
    if divisor.op != "add" or divisor.kwargs or len(divisor.args) != 2 or divisor.shape != value.shape:
        return None
    size, floor = divisor.args if isinstance(divisor.args[0], Node) else divisor.args[::-1]
    if isinstance(floor, Node) or size.op != "abs" or size.inputs != (value,):
        return None
    least = float(torch.as_tensor(floor, dtype=torch.float64).min())
    return least if least > 0.0 else None
