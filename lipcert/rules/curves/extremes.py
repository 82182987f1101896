"""The least and the largest value of g(x) - k x over an interval, rounded outward.

On a convex piece h(x) = g(x) - k x lies above each of its tangents, so for any p

    h(x) >= h(p) + min(h'(p) (a - p), h'(p) (b - p))        for x in [a, b],

and at most at the larger of h(a) and h(b). The bound needs no exact minimiser: the closer h'(p) is to zero the tighter
it is. Concave pieces are the same upside down, straight ones have their extremes at the ends.

Rounding. A formula is computed to 64 u (1 + |x| + |y|) (`lipcert.rules.forward_error` states the same of libraries),
its slope to 64 u (1 + |slope|); a knot that is rounded moves the function by less than u^2. The products and sums
formed here round a few times more. All of this is taken off the lower end and added to the upper.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.rounding import UNIT_ROUNDOFF
from lipcert.rules.curves.curve import Curve, Piece

_LIBRARY = 64 * UNIT_ROUNDOFF


def extremes(curve: Curve, k: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds (least, largest) of g(x) - k x over lower <= x <= upper; NaN where that leaves the domain."""
    least, largest = torch.full_like(lower, torch.inf), torch.full_like(lower, -torch.inf)
    for piece in curve.pieces:
        start, end = piece.within(lower, upper)
        reached = start <= end
        low, high = _on_piece(curve, piece, k, (start, torch.maximum(start, end)))
        least = torch.where(reached, torch.minimum(least, low), least)
        largest = torch.where(reached, torch.maximum(largest, high), largest)
    if curve.beyond is not None:
        outside = (lower < curve.pieces[0].start) | (upper > curve.pieces[-1].end)
        level = outside & (k == 0)
        least = torch.where(level, curve.beyond[0], least.masked_fill(outside, -torch.inf))
        largest = torch.where(level, curve.beyond[1], largest.masked_fill(outside, torch.inf))
    undefined = curve.undefined(lower, upper) | k.isnan()
    return least.masked_fill(undefined, torch.nan), largest.masked_fill(undefined, torch.nan)


def _on_piece(curve: Curve, piece: Piece, k: Tensor, ends: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    (first, noise), (second, other) = (_tilted(curve, piece, k, end) for end in ends)
    least, largest = torch.minimum(first - noise, second - other), torch.maximum(first + noise, second + other)
    if piece.bend == 0:
        return least, largest
    at = touching(piece, k, *ends)
    height, noise = _tilted(curve, piece, k, at)
    rest = piece.slope(at) - k
    slack = _LIBRARY * (1.0 + rest.abs() + 2.0 * k.abs())
    lefts, rights = (_change(rest, end - at) for end in ends)
    if piece.bend > 0:
        return height - noise + torch.minimum(lefts, rights) - _change(slack, ends[1] - ends[0]), largest
    return least, height + noise + torch.maximum(lefts, rights) + _change(slack, ends[1] - ends[0])


def _change(slope: Tensor, run: Tensor) -> Tensor:
    """Slope times run, nothing where there is no run, whatever the slope."""
    return torch.where(run == 0, 0.0, slope * run)


def _tilted(curve: Curve, piece: Piece, k: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """g(x) - k x and a bound on the rounding in it."""
    value = piece.value(x)
    shift = _change(x, k)
    size = value.abs() if curve.relative else 1.0 + x.abs() + value.abs()
    return value - shift, _LIBRARY * size + 4 * UNIT_ROUNDOFF * (value.abs() + shift.abs())


def touching(piece: Piece, k: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Where on [start, end] the slope is about k; an end where it is always above or below."""
    assert piece.touch is not None
    rising = float(piece.bend)
    at = torch.minimum(torch.maximum(piece.touch(k).nan_to_num(nan=0.0), start), end)
    early, late = (rising * (piece.slope(x) - k) for x in (start, end))
    return torch.where(early >= 0, start, torch.where(late <= 0, end, at))
