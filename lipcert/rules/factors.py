"""Bounds of `mul` and `div` where they are no scale: of two live values, of one with itself, and under a constant."""

from __future__ import annotations

from torch import Tensor

from lipcert.graph import Node
from lipcert.rounding import gamma
from lipcert.rules.base import argument, unsupported
from lipcert.rules.curved import curve_interval, curve_relaxation
from lipcert.rules.curves.powers import power
from lipcert.rules.interval import Interval
from lipcert.rules.linearised import Linearised, constant, copies_of_source, spread_out, weighted
from lipcert.rules.products import (
    both_broadcast,
    product_interval,
    product_relaxation,
    quotient_relaxation,
    reciprocal_interval,
)
from lipcert.rules.relaxation import AbstractRelaxation, Constant, First

_SQUARE = power(2.0)


def factor_interval(node: Node, inputs: tuple[Interval, ...]) -> Interval:
    """The extremes over the box of both factors."""
    if argument(node, 2, "rounding_mode") is not None:
        raise unsupported(node, "interval")
    if _square(node):
        return curve_interval(node, _SQUARE, inputs[0])
    first, second = _factors(node, inputs)
    return product_interval(first, reciprocal_interval(second) if node.op == "div" else second)


def factor_relaxation(node: Node, inputs: tuple[Interval, ...], output: Interval) -> AbstractRelaxation:
    """A curve's lines, a linearisation, or the interval."""
    if _square(node):
        return First(curve_relaxation(node, _SQUARE, inputs[0], output), 2)
    if len(node.inputs) == 2:
        make = quotient_relaxation if node.op == "div" else product_relaxation
        return make(node, inputs[0], inputs[1])
    if node.op == "mul" or isinstance(node.args[0], Node):
        return _scaled(node, inputs[0])
    return Constant(output, len(inputs))


def _square(node: Node) -> bool:
    return node.op == "mul" and len(node.inputs) == 2 and node.inputs[0] is node.inputs[1]


def _factors(node: Node, inputs: tuple[Interval, ...]) -> tuple[Interval, Interval]:
    """Both factors in the node's shape, a constant as an interval of one point."""
    if len(inputs) == 2:
        return both_broadcast(node, inputs)
    (x,), (source,) = inputs, node.inputs
    live = Interval(spread_out(node, source, x.lower), spread_out(node, source, x.upper))
    other = node.args[1] if isinstance(node.args[0], Node) else node.args[0]
    fixed = Interval(constant(node, other), constant(node, other))
    return (live, fixed) if isinstance(node.args[0], Node) else (fixed, live)


def _scaled(node: Node, x: Interval) -> Linearised:
    """A live value broadcast and multiplied with a constant."""
    other = node.args[1] if isinstance(node.args[0], Node) else node.args[0]
    weights: Tensor = constant(node, other) if node.op == "mul" else 1.0 / constant(node, other)
    size = weights.abs() * spread_out(node, node.inputs[0], x.magnitude)
    slack = gamma(copies_of_source(node, node.inputs[0]) + 8) * size
    nothing = weights.new_zeros(weights.shape)
    return Linearised((weighted(node, node.inputs[0], weights),), nothing, nothing, slack, linear=True)
