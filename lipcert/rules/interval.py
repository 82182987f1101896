"""Boxes around the values of a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Size, Tensor

from lipcert.graph import Node


def entries(node: Node) -> Size:
    """Shape of one sample's value: `node.shape` without its leading 1.

    A graph may fold other axes into the batch axis (heads of attention, windows); the leading number is then kept.
    """
    return node.shape[1:] if node.shape[0] == 1 else node.shape


@final
@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Lower <= value <= upper in every element: float64 tensors of shape (N, *entries(node))."""

    lower: Tensor
    upper: Tensor

    @property
    def magnitude(self) -> Tensor:
        """The largest absolute value, exact."""
        return torch.maximum(self.lower.abs(), self.upper.abs())

    @property
    def centre(self) -> Tensor:
        """About halfway; at most one rounding away."""
        return (self.lower + self.upper) / 2

    @property
    def radius(self) -> Tensor:
        """At least the distance from `centre` to either end, after rounding."""
        centre = self.centre
        return up(torch.maximum(self.upper - centre, centre - self.lower))

    def widen(self, delta: Tensor | float) -> Interval:
        """Both ends further out by `delta` >= 0, rounded outward."""
        return Interval(down(self.lower - delta), up(self.upper + delta))

    def intersect(self, other: Interval) -> Interval:
        """What both hold. Where rounding or a contradiction leaves nothing, lower > upper."""
        return Interval(torch.maximum(self.lower, other.lower), torch.minimum(self.upper, other.upper))

    def hull(self, other: Interval) -> Interval:
        """The smallest interval around both."""
        return Interval(torch.minimum(self.lower, other.lower), torch.maximum(self.upper, other.upper))

    def reshape(self, shape: Size) -> Interval:
        """The same values, each sample in `shape`."""
        return Interval(self.lower.reshape(-1, *shape), self.upper.reshape(-1, *shape))


def down(x: Tensor) -> Tensor:
    """A float64 below each element: undoes one rounding to nearest."""
    return x - (x.abs() * _STEP + _TINY)


def up(x: Tensor) -> Tensor:
    """A float64 above each element: undoes one rounding to nearest."""
    return x + (x.abs() * _STEP + _TINY)


# Subtracting 2^-51 |x| moves further than one unit in the last place (at most 2^-52 |x|), its own rounding included.
_STEP = 2.0**-51
_TINY = 1e-300
