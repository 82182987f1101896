"""Exponentials, logarithms, and what softens relu with them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lipcert.rules.curves.curve import Bend, Curve, Function, Piece
from lipcert.rules.curves.kinked import line

_TINY = 1e-300


def _log(k: Tensor) -> Tensor:
    return torch.log(k.clamp_min(_TINY))


def _whole(bend: Bend, value: Function, slope: Function, touch: Function) -> Curve:
    piece = Piece(start=-math.inf, end=math.inf, bend=bend, value=value, slope=slope, touch=touch)
    return Curve(pieces=(piece,), relative=True)


def exp() -> Curve:
    """Exp(x)."""
    return _whole(1, torch.exp, torch.exp, _log)


def expm1() -> Curve:
    """Exp(x) - 1."""
    return _whole(1, torch.expm1, torch.exp, _log)


def cosh() -> Curve:
    """Convex everywhere."""
    return _whole(1, torch.cosh, torch.sinh, torch.asinh)


def sinh() -> Curve:
    """Concave below zero and convex above."""

    def touch(k: Tensor) -> Tensor:
        return torch.acosh(k.clamp_min(1.0))

    left = Piece(start=-math.inf, end=0.0, bend=-1, value=torch.sinh, slope=torch.cosh, touch=lambda k: -touch(k))
    right = Piece(start=0.0, end=math.inf, bend=1, value=torch.sinh, slope=torch.cosh, touch=touch)
    return Curve(pieces=(left, right), relative=True)


def log(shift: float = 0.0) -> Curve:
    """Log(shift + x), for shift 0 or 1."""
    value = torch.log1p if shift else torch.log
    piece = Piece(
        start=-shift,
        end=math.inf,
        bend=-1,
        value=value,
        slope=lambda x: 1.0 / (shift + x),
        touch=lambda k: 1.0 / k.clamp_min(_TINY) - shift,
    )
    return Curve(pieces=(piece,), poles=(-shift,))


def elu(alpha: float, scale: float, steepness: float) -> Curve:
    """Scale x above zero, scale alpha (exp(steepness x) - 1) below: elu, selu and celu."""
    height = scale * alpha
    bend: Bend = 1 if height >= 0 else -1
    left = Piece(
        start=-math.inf,
        end=0.0,
        bend=bend,
        value=lambda x: height * torch.expm1(steepness * x),
        slope=lambda x: height * steepness * torch.exp(steepness * x),
        touch=lambda k: _log(k / (height * steepness)) / steepness if height * steepness else torch.zeros_like(k),
    )
    return Curve(pieces=(left, line(scale, 0.0, 0.0, math.inf)), relative=True)


def softplus(beta: float, threshold: float) -> Curve:
    """Log(1 + exp(beta x)) / beta, and x where beta x passes the threshold, as torch has it."""

    def value(x: Tensor) -> Tensor:
        z = beta * x
        return (z.clamp_min(0.0) + torch.log1p(torch.exp(-z.abs()))) / beta

    bend: Bend = 1 if beta > 0 else -1
    edge = threshold / beta
    soft = Piece(
        start=-math.inf if beta > 0 else edge,
        end=edge if beta > 0 else math.inf,
        bend=bend,
        value=value,
        slope=lambda x: torch.sigmoid(beta * x),
        touch=lambda k: torch.logit(k.clamp(0.0, 1.0)) / beta,
    )
    if beta > 0:
        return Curve(pieces=(soft, line(1.0, 0.0, edge, math.inf)), relative=True, jumps=True)
    return Curve(pieces=(line(1.0, 0.0, -math.inf, edge), soft), relative=True, jumps=True)


def log_sigmoid() -> Curve:
    """-log(1 + exp(-x))."""
    return _whole(-1, F.logsigmoid, lambda x: torch.sigmoid(-x), lambda k: -torch.logit(k.clamp(0.0, 1.0)))


def power_of(base: float) -> Curve:
    """Base ** x, for a positive base other than 1."""
    rate = math.log(base)
    return _whole(
        1,
        lambda x: torch.pow(base, x),
        lambda x: rate * torch.pow(base, x),
        lambda k: _log(k / rate) / rate,
    )
