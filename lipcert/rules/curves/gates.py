"""x times a gate that opens from 0 to 1: silu, gelu and mish. Convex between two inflections, concave outside.

silu: g'' = s' (2 - x tanh(x / 2)) and gelu: g'' = phi (2 - x^2) change sign exactly at two points. Of gelu's tanh form
and of mish the inflections were found with 40 digits on a grid of [-20, 20]; further out the slopes are 0 and 1 to
far more digits than a float64 has.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lipcert.rules.curves.curve import Bend, Curve, Function, Piece
from lipcert.rules.curves.inverse import InverseSlope

_SILU = 2.399357280515467
_GELU = math.sqrt(2.0)
_GELU_TANH = 1.4185040087908284
_MISH = (-2.256376396360793, 1.4905711794854285)
_CUBIC = 0.044715


def _gated(value: Function, slope: Function, inflections: tuple[float, float]) -> Curve:
    left, right = inflections
    ends: tuple[tuple[float, float, Bend], ...] = (
        (-math.inf, left, -1),
        (left, right, 1),
        (right, math.inf, -1),
    )
    pieces = (
        Piece(start=a, end=b, bend=bend, value=value, slope=slope, touch=InverseSlope(slope, bend, (a, b)))
        for a, b, bend in ends
    )
    return Curve(pieces=tuple(pieces))


def silu() -> Curve:
    """X sigmoid(x)."""

    def slope(x: Tensor) -> Tensor:
        gate = torch.sigmoid(x)
        result: Tensor = gate * (1.0 + x * torch.sigmoid(-x))
        return result

    return _gated(lambda x: x * torch.sigmoid(x), slope, (-_SILU, _SILU))


def gelu() -> Curve:
    """X times the normal distribution function."""

    def gate(x: Tensor) -> Tensor:
        result: Tensor = 0.5 * torch.special.erfc(-x * math.sqrt(0.5))
        return result

    def slope(x: Tensor) -> Tensor:
        return gate(x) + x * torch.exp(-0.5 * x.square()) / math.sqrt(2.0 * math.pi)

    return _gated(lambda x: x * gate(x), slope, (-_GELU, _GELU))


def gelu_tanh() -> Curve:
    """X (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2."""
    scale = math.sqrt(8.0 / math.pi)  # twice the factor: (1 + tanh v) / 2 = sigmoid(2 v)

    def inner(x: Tensor) -> Tensor:
        return scale * (x + _CUBIC * x * x.square())

    def slope(x: Tensor) -> Tensor:
        v = inner(x)
        steep = torch.sigmoid(v) * torch.sigmoid(-v)
        run = torch.where(steep > 0, x * scale * (1.0 + 3.0 * _CUBIC * x.square()), 0.0)
        return torch.sigmoid(v) + steep * run

    return _gated(lambda x: x * torch.sigmoid(inner(x)), slope, (-_GELU_TANH, _GELU_TANH))


def mish() -> Curve:
    """X tanh(log(1 + exp(x)))."""

    def gate(x: Tensor) -> Tensor:
        return torch.tanh(F.softplus(x))

    def slope(x: Tensor) -> Tensor:
        t = gate(x)
        return t + x * torch.sigmoid(x) * (1.0 - t) * (1.0 + t)

    return _gated(lambda x: x * gate(x), slope, _MISH)
