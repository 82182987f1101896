"""A curve in other units: height times g(width x)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from lipcert.rules.curves.curve import Bend, Curve, Function, Piece


def stretched(curve: Curve, height: float, width: float) -> Curve:
    """X -> height g(width x), for numbers other than zero and pieces that end at numbers.

    Rounding width x moves the value by at most 2 u |height width x| times the slope of g, which the accuracy that
    `Curve` speaks of covers where |height width| <= 8.
    """
    if height == width == 1.0:
        return curve
    pieces = [_stretched(piece, height, width) for piece in curve.pieces]
    return Curve(pieces=tuple(pieces if width > 0 else reversed(pieces)), jumps=curve.jumps)


def _stretched(piece: Piece, height: float, width: float) -> Piece:
    ends = sorted((piece.start / width, piece.end / width))
    bend: Bend = piece.bend if height > 0 else -piece.bend
    return Piece(
        start=ends[0],
        end=ends[1],
        bend=bend,
        value=_scaled(piece.value, height, width),
        slope=_scaled(piece.slope, height * width, width),
        touch=None if piece.touch is None else _scaled(piece.touch, 1.0 / width, 1.0 / (height * width)),
    )


def _scaled(function: Function, outside: float, inside: float) -> Callable[[Tensor], Tensor]:
    return lambda x: outside * function(inside * x)
