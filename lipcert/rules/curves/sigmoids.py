"""S-shaped curves: convex on one side of zero, concave on the other."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.rules.curves.curve import Curve, Function, Piece


def _odd(value: Function, slope: Function, touch: Function) -> Curve:
    """A curve with its inflection at zero, `touch` giving the point with x >= 0."""
    left = Piece(start=-math.inf, end=0.0, bend=1, value=value, slope=slope, touch=lambda k: -touch(k))
    right = Piece(start=0.0, end=math.inf, bend=-1, value=value, slope=slope, touch=touch)
    return Curve(pieces=(left, right), relative=True)


def sigmoid() -> Curve:
    """1 / (1 + exp(-x)); the slope is k where s (1 - s) = k."""

    def slope(x: Tensor) -> Tensor:
        return torch.sigmoid(x) * torch.sigmoid(-x)

    def touch(k: Tensor) -> Tensor:
        root = torch.sqrt((1.0 - 4.0 * k).clamp(0.0, 1.0))
        return torch.log((1.0 + root).square() / (4.0 * k.clamp_min(1e-300)))

    return _odd(torch.sigmoid, slope, touch)


def tanh() -> Curve:
    """The hyperbolic tangent; its slope is 1 / cosh^2."""

    def slope(x: Tensor) -> Tensor:
        return 4.0 * torch.sigmoid(2.0 * x) * torch.sigmoid(-2.0 * x)

    def touch(k: Tensor) -> Tensor:
        return torch.acosh(torch.rsqrt(k.clamp(1e-300, 1.0)))

    return _odd(torch.tanh, slope, touch)


def atan() -> Curve:
    """The arc tangent; its slope is 1 / (1 + x^2)."""
    return _odd(
        torch.atan,
        lambda x: 1.0 / (1.0 + x.square()),
        lambda k: torch.sqrt((1.0 / k.clamp_min(1e-300) - 1.0).clamp_min(0.0)),
    )


def asinh() -> Curve:
    """The inverse of sinh; its slope is 1 / sqrt(1 + x^2)."""
    return _odd(
        torch.asinh,
        lambda x: torch.rsqrt(1.0 + x.square()),
        lambda k: torch.sqrt((1.0 / k.clamp_min(1e-150).square() - 1.0).clamp_min(0.0)),
    )


def erf() -> Curve:
    """The error function; its slope is 2 exp(-x^2) / sqrt(pi)."""
    peak = 2.0 / math.sqrt(math.pi)
    return _odd(
        torch.erf,
        lambda x: peak * torch.exp(-x.square()),
        lambda k: torch.sqrt(torch.log(peak / k.clamp(1e-300, peak))),
    )


def softsign() -> Curve:
    """The quotient x / (1 + |x|); its slope is 1 / (1 + |x|)^2."""
    return _odd(
        lambda x: x / (1.0 + x.abs()),
        lambda x: 1.0 / (1.0 + x.abs()).square(),
        lambda k: torch.rsqrt(k.clamp_min(1e-300)) - 1.0,
    )
