"""Two straight lines that enclose a curve over an interval, one below and one above.

Any slope gives a sound line once the offset is an extreme of g(x) - k x; which slope is best is a matter of tightness
alone. Asked for here is the line that is tightest at the middle m of the interval, which has the least area between it
and the curve among straight lines. It supports the convex hull of the graph over m: it touches the curve on both sides
of m (a chord, or for a sigmoid the tangent from an end), or is the tangent at m. Both are tried: touching points are
moved in from the ends by cutting planes, and the better one at m is kept.

Source: Zhang, Weng, Chen, Hsieh, Daniel, NeurIPS 2018, choose the same lines for sigmoids by cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.rules.curves.curve import Curve, Piece
from lipcert.rules.curves.extremes import extremes, touching

_CUTS = 4


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """lower_slope x + lower_offset <= g(x) <= upper_slope x + upper_offset, in real arithmetic."""

    lower_slope: Tensor
    lower_offset: Tensor
    upper_slope: Tensor
    upper_offset: Tensor


def span(curve: Curve, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds of the values over [lower, upper], which may be infinite; NaN where that leaves the domain."""
    return extremes(curve, torch.zeros_like(lower), lower, upper)


def enclose(curve: Curve, lower: Tensor, upper: Tensor) -> Lines:
    """The lines over [lower, upper]; level ones where nothing better is finite, NaN where the domain is left."""
    if not curve.uniform:
        return _searched(curve, lower, upper)
    spanning = torch.ones_like(lower, dtype=torch.bool)
    parts = {name: torch.empty_like(lower) for name in _NAMES}
    for piece in curve.pieces:
        inside = spanning & curve.alone(piece, lower, upper) & ~curve.undefined(lower, upper)
        _fill(parts, inside, _on_one(curve, piece, lower[inside], upper[inside]))
        spanning = spanning & ~inside
    _fill(parts, spanning, _searched(curve, lower[spanning], upper[spanning]))
    return Lines(**parts)


_NAMES = ("lower_slope", "lower_offset", "upper_slope", "upper_offset")


def _fill(parts: dict[str, Tensor], where: Tensor, lines: Lines) -> None:
    for name, part in parts.items():
        part[where] = getattr(lines, name)


def _on_one(curve: Curve, piece: Piece, lower: Tensor, upper: Tensor) -> Lines:
    """The chord on one side and the tangent at the middle on the other."""
    middle = 0.5 * lower + 0.5 * upper
    single = Curve(pieces=(piece,), relative=curve.relative)
    tangent = _sane(piece.slope(middle))
    chord = _rise(single, lower, upper, tangent) if piece.bend else tangent
    below, above = (tangent, chord) if piece.bend > 0 else (chord, tangent)
    lines = _through(single, below, above, (lower, upper))
    level = torch.zeros_like(lower)
    finite = torch.isfinite(lines.lower_offset) & torch.isfinite(lines.upper_offset)
    return lines if bool(finite.all()) else _better(_through(single, level, level, (lower, upper)), lines, middle)


def _searched(curve: Curve, lower: Tensor, upper: Tensor) -> Lines:
    """The best of level lines, tangents at the middle and lines found by cutting planes."""
    if not lower.numel():
        return Lines(lower_slope=lower, lower_offset=lower, upper_slope=lower, upper_offset=lower)
    middle = 0.5 * lower + 0.5 * upper
    level = torch.zeros_like(lower)
    least, largest = extremes(curve, level, lower, upper)
    lines = Lines(lower_slope=level, lower_offset=least, upper_slope=level, upper_offset=largest)
    tangent = curve.slope(middle)
    for below, above in ((tangent, tangent), _cut(curve, lower, upper, tangent)):
        lines = _better(lines, _through(curve, _sane(below), _sane(above), (lower, upper)), middle)
    return lines


def _through(curve: Curve, below: Tensor, above: Tensor, ends: tuple[Tensor, Tensor]) -> Lines:
    """Lines of these slopes."""
    least, largest = extremes(curve, below, *ends)
    if above is not below:
        largest = extremes(curve, above, *ends)[1]
    return Lines(lower_slope=below, lower_offset=least, upper_slope=above, upper_offset=largest)


def _better(old: Lines, new: Lines, middle: Tensor) -> Lines:
    """Of each two lines the tighter one in the middle; the old one where the new one is not finite."""
    raised = new.lower_slope * middle + new.lower_offset > old.lower_slope * middle + old.lower_offset
    lowered = new.upper_slope * middle + new.upper_offset < old.upper_slope * middle + old.upper_offset
    return Lines(
        lower_slope=torch.where(raised, new.lower_slope, old.lower_slope),
        lower_offset=torch.where(raised, new.lower_offset, old.lower_offset),
        upper_slope=torch.where(lowered, new.upper_slope, old.upper_slope),
        upper_offset=torch.where(lowered, new.upper_offset, old.upper_offset),
    )


def _sane(slope: Tensor) -> Tensor:
    """A slope that can be multiplied: level where it is not finite."""
    return slope.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)


def _cut(curve: Curve, lower: Tensor, upper: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes of lines that support the curve from below and from above over the middle.

    Each line runs through two points of the graph on either side of the middle. What sticks out of it furthest
    replaces the point on its side. The first line is the chord, for both.
    """
    chord = _rise(curve, lower, upper, tangent)
    slopes = []
    for sign in (-1.0, 1.0):
        left, right, slope = lower, upper, chord
        for _ in range(_CUTS):
            at = _furthest(curve, slope, (lower, upper), sign)
            early = at <= 0.5 * lower + 0.5 * upper
            left, right = torch.where(early, at, left), torch.where(early, right, at)
            slope = _rise(curve, left, right, slope)
        slopes.append(slope)
    return slopes[0], slopes[1]


def _rise(curve: Curve, left: Tensor, right: Tensor, otherwise: Tensor) -> Tensor:
    """Slope of the line through two points of the graph; `otherwise` where they are too close to tell."""
    run = right - left
    slope = (curve.value(right) - curve.value(left)) / run
    return _sane(torch.where(run > 1e-7 * (left.abs() + right.abs()), slope, otherwise))


def _furthest(curve: Curve, slope: Tensor, ends: tuple[Tensor, Tensor], sign: float) -> Tensor:
    """About where sign (g(x) - slope x) is largest."""
    at, height = ends[0], sign * (curve.value(ends[0]) - slope * ends[0])
    for piece in curve.pieces:
        start, end = piece.within(*ends)
        reached = start <= end
        points = [start, end]
        if piece.bend * sign < 0:
            points.append(touching(piece, slope, start, torch.maximum(start, end)))
        for point in points:
            found = sign * (piece.value(point) - slope * point)
            higher = reached & (found > height)
            at, height = torch.where(higher, point, at), torch.where(higher, found, height)
    return at
