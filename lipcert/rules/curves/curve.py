"""A function of one real variable in pieces on each of which it bends one way only.

On a closed piece the slope is monotone, so for any number k the extremes of g(x) - k x over an interval stand at ends
of pieces, at the interval's ends, or where the slope is k. Pieces may meet in a kink or a jump: both one-sided values
count at the joint, which can only widen a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]
Bend = Literal[-1, 0, 1]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One formula on a closed interval.

    start, end  its ends, infinite ones included; tensors where they differ from entry to entry
    bend        1 convex, -1 concave, 0 a straight line
    value       the formula, in float64
    slope       its derivative
    touch       a good guess of where the slope is k: any answer is sound, a close one tight; None for straight lines
    """

    start: float | Tensor
    end: float | Tensor
    bend: Bend
    value: Function
    slope: Function
    touch: Function | None = None

    def within(self, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
        """The part of [lower, upper] on the piece; its ends are crossed where there is none."""
        return _larger(lower, self.start), _smaller(upper, self.end)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Pieces from left to right, each beginning where the one before it ends.

    relative  the formulas are computed to 64 u |y|, as they are without cancellation; else to 64 u (1 + |x| + |y|)
    uniform   all entries have the same pieces
    jumps     some pieces do not meet
    poles     where there is no value
    beyond    bounds of the values left and right of the pieces; None where there are none
    """

    pieces: tuple[Piece, ...]
    relative: bool = False
    uniform: bool = True
    jumps: bool = False
    poles: tuple[float, ...] = ()
    beyond: tuple[float, float] | None = None

    @property
    def straight(self) -> bool:
        """Whether the curve consists of straight lines."""
        return all(piece.bend == 0 for piece in self.pieces)

    def alone(self, piece: Piece, lower: Tensor, upper: Tensor) -> Tensor:
        """Whether [lower, upper] lies on one piece, no other one having a say at its ends."""
        if self.jumps:
            return (lower > piece.start) & (upper < piece.end)
        return (lower >= piece.start) & (upper <= piece.end)

    def undefined(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Whether [lower, upper] is no interval, or holds a point without a value."""
        found = ~(lower <= upper)
        if self.beyond is None:
            found = found | (lower < self.pieces[0].start) | (upper > self.pieces[-1].end)
        for pole in self.poles:
            found = found | ((lower <= pole) & (upper >= pole))
        return found

    def value(self, x: Tensor) -> Tensor:
        """The function; outside its domain NaN."""
        return self._choose(x, [piece.value for piece in self.pieces])

    def slope(self, x: Tensor) -> Tensor:
        """A slope at x, at a kink that of the piece on the right."""
        return self._choose(x, [piece.slope for piece in self.pieces])

    def _choose(self, x: Tensor, formulas: list[Function]) -> Tensor:
        result = torch.full_like(x, torch.nan)
        for piece, formula in zip(self.pieces, formulas, strict=True):
            inside = (x >= piece.start) & (x <= piece.end)
            result = torch.where(inside, formula(_smaller(_larger(x, piece.start), piece.end)), result)
        return result


def _larger(x: Tensor, bound: float | Tensor) -> Tensor:
    return torch.maximum(x, bound) if isinstance(bound, Tensor) else x.clamp_min(bound)


def _smaller(x: Tensor, bound: float | Tensor) -> Tensor:
    return torch.minimum(x, bound) if isinstance(bound, Tensor) else x.clamp_max(bound)
