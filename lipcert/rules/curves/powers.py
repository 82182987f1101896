"""Powers with a constant exponent: square, cube, root, reciprocal."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.rules.curves.curve import Bend, Curve, Function, Piece
from lipcert.rules.curves.kinked import line

_TINY = 1e-300


def power(exponent: float) -> Curve:
    """X ** exponent; for a fraction the domain is x >= 0, and a negative exponent has no value at 0."""
    if exponent in (0.0, 1.0):
        return Curve(pieces=(line(exponent, 1.0 - exponent, -math.inf, math.inf),), relative=True)
    positive = exponent > 1 or exponent < 0
    right = _side(exponent, (0.0, math.inf), 1 if positive else -1, _touch(exponent))
    poles = (0.0,) if exponent < 0 else ()
    if not exponent.is_integer():
        return Curve(pieces=(right,), relative=True, poles=poles)
    even = exponent % 2.0 == 0.0
    sign = -1.0 if even else 1.0  # the slope at -x is sign times the slope at x
    mirrored = _touch(exponent)
    left = _side(exponent, (-math.inf, 0.0), 1 if even else -1, lambda k: -mirrored(sign * k))
    return Curve(pieces=(left, right), relative=True, poles=poles)


def sqrt() -> Curve:
    """The square root."""
    piece = Piece(
        start=0.0,
        end=math.inf,
        bend=-1,
        value=torch.sqrt,
        slope=lambda x: 0.5 * torch.rsqrt(x + 0.0),  # not of -0.0
        touch=lambda k: 0.25 / k.clamp_min(1e-150).square(),
    )
    return Curve(pieces=(piece,), relative=True)


def _side(exponent: float, ends: tuple[float, float], bend: Bend, touch: Function) -> Piece:
    return Piece(
        start=ends[0],
        end=ends[1],
        bend=bend,
        value=lambda x: x.pow(exponent),
        slope=lambda x: exponent * x.pow(exponent - 1.0),
        touch=touch,
    )


def _touch(exponent: float) -> Function:
    """The x > 0 with exponent x^(exponent - 1) = k."""

    def touch(k: Tensor) -> Tensor:
        return (k / exponent).clamp_min(_TINY).pow(1.0 / (exponent - 1.0))

    return touch
