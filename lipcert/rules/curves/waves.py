"""Sine and cosine, over a few periods around zero; further out no more is said than that they lie in [-1, 1]."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.rules.curves.curve import Curve, Function, Piece

_HALF_PERIODS = 8


def sin() -> Curve:
    """Concave on [0, pi], convex on [pi, 2 pi], and so on."""
    arcs = (_arc(n * math.pi, n % 2 == 0, torch.sin, torch.cos) for n in range(-_HALF_PERIODS, _HALF_PERIODS))
    return Curve(pieces=tuple(arcs), beyond=(-1.0, 1.0))


def cos() -> Curve:
    """Concave on [-pi / 2, pi / 2], and so on."""
    starts = ((n - 0.5) * math.pi for n in range(-_HALF_PERIODS, _HALF_PERIODS))
    arcs = (
        _arc(start, n % 2 == 0, torch.cos, lambda x: -torch.sin(x))
        for start, n in zip(starts, range(-_HALF_PERIODS, _HALF_PERIODS), strict=True)
    )
    return Curve(pieces=tuple(arcs), beyond=(-1.0, 1.0))


def _arc(start: float, concave: bool, value: Function, slope: Function) -> Piece:  # noqa: FBT001
    """One half period. On a concave one the slope falls from 1 to -1 like the cosine on [0, pi]."""

    def touch(k: Tensor) -> Tensor:
        return start + torch.acos((k if concave else -k).clamp(-1.0, 1.0))

    return Piece(start=start, end=start + math.pi, bend=-1 if concave else 1, value=value, slope=slope, touch=touch)
