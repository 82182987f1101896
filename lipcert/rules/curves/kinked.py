"""Curves made of straight lines, of a parabola between two, or of steps."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from lipcert.rules.curves.curve import Curve, Piece

_INFINITY = math.inf


def line(slope: float | Tensor, shift: float | Tensor, start: float | Tensor, end: float | Tensor) -> Piece:
    """The line slope x + shift between two ends."""
    return Piece(
        start=start,
        end=end,
        bend=0,
        value=lambda x: slope * x + shift,
        slope=lambda x: torch.zeros_like(x) + slope,
    )


def bent(left: float | Tensor, right: float | Tensor) -> Curve:
    """Slope left below below zero, right above: relu, leaky relu, prelu, abs."""
    uniform = not (isinstance(left, Tensor) or isinstance(right, Tensor))
    pieces = (line(left, 0.0, -_INFINITY, 0.0), line(right, 0.0, 0.0, _INFINITY))
    return Curve(pieces=pieces, relative=True, uniform=uniform)


def clipped(low: float | Tensor | None, high: float | Tensor | None) -> Curve:
    """min(max(x, low), high); where low > high it is high, as in torch."""
    uniform = not (isinstance(low, Tensor) or isinstance(high, Tensor))
    pieces = []
    if low is not None and high is not None:
        low = torch.minimum(torch.as_tensor(low), torch.as_tensor(high)) if not uniform else min(low, high)
    if low is not None:
        pieces.append(line(0.0, low, -_INFINITY, low))
    pieces.append(line(1.0, 0.0, -_INFINITY if low is None else low, _INFINITY if high is None else high))
    if high is not None:
        pieces.append(line(0.0, high, high, _INFINITY))
    return Curve(pieces=tuple(pieces), relative=True, uniform=uniform)


def hardsigmoid() -> Curve:
    """min(max(x + 3, 0), 6) / 6."""
    pieces = (line(0.0, 0.0, -_INFINITY, -3.0), line(1 / 6, 0.5, -3.0, 3.0), line(0.0, 1.0, 3.0, _INFINITY))
    return Curve(pieces=pieces)


def hardswish() -> Curve:
    """The product x hardsigmoid(x): a parabola between -3 and 3."""
    parabola = Piece(
        start=-3.0,
        end=3.0,
        bend=1,
        value=lambda x: x * (x + 3.0) / 6.0,
        slope=lambda x: x / 3.0 + 0.5,
        touch=lambda k: 3.0 * (k - 0.5),
    )
    return Curve(pieces=(line(0.0, 0.0, -_INFINITY, -3.0), parabola, line(1.0, 0.0, 3.0, _INFINITY)))


def steps(edges: tuple[float, ...], heights: tuple[float, ...]) -> Curve:
    """One height left of the first edge, the next one between it and the second, and so on; either one at an edge."""
    ends = (-_INFINITY, *edges, _INFINITY)
    pieces = (line(0.0, height, *between) for height, between in zip(heights, pairwise(ends), strict=True))
    return Curve(pieces=tuple(pieces), relative=True, jumps=True)
