"""The slopes an activation can have between two points of an interval.

Let g be continuous and made of pieces on which its slope is monotone. For a < b in [l, u] the quotient
(g(b) - g(a)) / (b - a) is a mean of slopes at points between them, so it lies between the least and the largest slope
that any piece has at an end of its part of [l, u]. Where the range of slopes on the whole line is known as well, both
hold.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.rules.curves import Curve
from lipcert.rules.curves.curve import Piece
from lipcert.rules.interval import Interval, entries
from lipcert.rules.slopes import slope_range

# Formulas of slopes are good to 64 units of roundoff of 1 + |slope|, and the ends of pieces to as many of 1 + |x|.
_FORMULA = 1e-12
# The library multiplies by the float32 nearest to 1/6 in these, the curve by 1/6: relatively 3e-8 apart.
_SIXTHS = {"hardsigmoid", "hardswish", "mul"}
_SIXTH = 1e-7


def slope_interval(node: Node, curve: Curve, reads: Interval) -> Interval:
    """Around every difference quotient of the node's function in `reads`, entry by entry; infinite where unknown."""
    low = torch.full_like(reads.lower, torch.inf)
    high = torch.full_like(reads.lower, -torch.inf)
    for piece in curve.pieces:
        start, end = piece.within(reads.lower, reads.upper)
        inside = start <= end
        for at in (start, end):
            slope = piece.slope(torch.where(inside, at, _somewhere(piece, at)))
            room = _room(node, piece, at, slope)
            low = torch.where(inside, torch.minimum(low, slope - room), low)
            high = torch.where(inside, torch.maximum(high, slope + room), high)
    outside = (reads.lower < curve.pieces[0].start) | (reads.upper > curve.pieces[-1].end)
    lost = curve.undefined(reads.lower, reads.upper) | ~low.isfinite() | ~high.isfinite() | outside | curve.jumps
    found = Interval(torch.where(lost, -torch.inf, low), torch.where(lost, torch.inf, high))
    return _within_the_whole(node, found)


def _room(node: Node, piece: Piece, at: Tensor, slope: Tensor) -> Tensor:
    """What rounding may have moved a slope by."""
    library = _SIXTH * slope.abs() if node.op in _SIXTHS else 0.0
    formula = _FORMULA * (1 + at.abs()) * (1 + slope.abs()) if piece.bend else 2.0**-50 * slope.abs()
    return formula + library


def _somewhere(piece: Piece, like: Tensor) -> Tensor:
    """Some finite point of a piece, where the slope there does not count."""
    start, end = (torch.as_tensor(x, dtype=like.dtype, device=like.device) for x in (piece.start, piece.end))
    return torch.where(start.isfinite(), start, torch.where(end.isfinite(), end, 0.0)).expand_as(like)


def _within_the_whole(node: Node, found: Interval) -> Interval:
    """Cut to the range of slopes on the whole line; a softplus, whose jump is below rounding, has that alone."""
    known = slope_range(node)
    if known is None:
        return found
    ends = (torch.as_tensor(end, dtype=torch.float64, device=found.lower.device) for end in known)
    low, high = (end.broadcast_to(node.shape).reshape(1, *entries(node)).expand_as(found.lower) for end in ends)
    return found.intersect(Interval(low, high))
