"""Products and quotients of two values that both depend on the input.

With centres c, d and radii r, s of the factors' intervals, x y = d x + c y - c d + (x - c)(y - d), and the last term
lies in [-r s, r s]. At the centre this is the middle of the two McCormick planes, which meet there; it holds for
matrices as well, with products of matrices. A quotient is the product with 1 / y, which in turn is a line in y give
or take an error.

Source: McCormick, Mathematical Programming 10, 1976.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.rounding import UNIT_ROUNDOFF, gamma
from lipcert.rules.curves import extremes, span
from lipcert.rules.curves.powers import power
from lipcert.rules.interval import Interval, up
from lipcert.rules.linearised import Linearised, copies_of_source, spread_out, weighted

_RECIPROCAL = power(-1.0)


def product_interval(x: Interval, y: Interval) -> Interval:
    """The extremes of the four products of ends, entry by entry."""
    corners = torch.stack([a * b for a in (x.lower, x.upper) for b in (y.lower, y.upper)])
    return Interval(corners.amin(0), corners.amax(0)).widen(2 * UNIT_ROUNDOFF * corners.abs().amax(0))


def reciprocal_interval(y: Interval) -> Interval:
    """1 / y; NaN where y may vanish."""
    return Interval(*span(_RECIPROCAL, y.lower, y.upper))


def product_relaxation(node: Node, x: Interval, y: Interval) -> Linearised:
    """X y entry by entry, both broadcast to the node's shape."""
    (first, second), (a, b) = node.inputs, _spread(node, (x, y))
    c, r, d, s = a.centre, a.radius, b.centre, b.radius
    size = a.magnitude * b.magnitude
    copies = max(copies_of_source(node, source) for source in node.inputs)
    return Linearised(
        (weighted(node, first, d), weighted(node, second, c)),
        -c * d,
        up(r * s) + 8 * UNIT_ROUNDOFF * size,
        gamma(copies + 8) * 3 * size,
    )


def quotient_relaxation(node: Node, x: Interval, y: Interval) -> Linearised:
    """X / y for a divisor that does not vanish."""
    (first, second), (a, b) = node.inputs, _spread(node, (x, y))
    inverse = reciprocal_interval(b)
    c, r, d, s = a.centre, a.radius, inverse.centre, inverse.radius
    slope = -inverse.lower * inverse.upper  # of the chord of 1 / y
    least, largest = extremes(_RECIPROCAL, slope, b.lower, b.upper)
    middle, error = 0.5 * least + 0.5 * largest, up(0.5 * (largest - least))
    error = error + 4 * UNIT_ROUNDOFF * (least.abs() + largest.abs())
    size = a.magnitude * (inverse.magnitude + slope.abs() * b.magnitude)
    copies = max(copies_of_source(node, source) for source in node.inputs)
    return Linearised(
        (weighted(node, first, d), weighted(node, second, c * slope)),
        c * (middle - d),
        up(up(r * s) + up(c.abs() * error)) + 16 * UNIT_ROUNDOFF * size,
        gamma(copies + 16) * 3 * size,
    )


def _spread(node: Node, inputs: tuple[Interval, Interval]) -> list[Interval]:
    return [
        Interval(spread_out(node, source, x.lower), spread_out(node, source, x.upper))
        for source, x in zip(node.inputs, inputs, strict=True)
    ]


def both_broadcast(node: Node, inputs: tuple[Interval, ...]) -> tuple[Interval, Interval]:
    """The intervals of two live factors in the node's shape."""
    first, second = _spread(node, (inputs[0], inputs[1]))
    return first, second


def matrix_interval(x: Interval, y: Interval) -> Interval:
    """X Y over the last two axes: C D give or take |C| S + R |D| + R S."""
    c, r, d, s = x.centre, x.radius, y.centre, y.radius
    width = c.abs() @ s + r @ (d.abs() + s)
    slack = gamma(4 * c.shape[-1] + 16) * (x.magnitude @ y.magnitude * 2 + width)
    return Interval(c @ d - width, c @ d + width).widen(slack)


def matrix_relaxation(x: Interval, y: Interval, views: tuple[Callable[[Tensor], Tensor], ...]) -> Linearised:
    """X Y linearised at the centres.

    x, y   with axes (N, blocks, rows, columns)
    views  rows of the node into blocks of matrices, and back for each input and for the node
    """
    split, first, second, whole = views
    c, r, d, s = x.centre, x.radius, y.centre, y.radius
    inside = gamma(4 * c.shape[-1] + 16)
    size = x.magnitude @ y.magnitude

    def of_first(rows: Tensor) -> Tensor:
        return first(split(rows) @ d.unsqueeze(1).mT)

    def of_second(rows: Tensor) -> Tensor:
        return second(c.unsqueeze(1).mT @ split(rows))

    outer = gamma(max(c.shape[-2], d.shape[-1]) + 16)
    return Linearised(
        (of_first, of_second),
        whole(-(c @ d)),
        whole(r @ s * (1 + inside) + 4 * inside * size),
        whole(3 * (outer + inside) * size),
    )
