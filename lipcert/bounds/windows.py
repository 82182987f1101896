"""Rows that touch one window of a map each: what a unit after convolutions depends on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Size, Tensor


@final
@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Functionals of a map (C, *sides): row (n, s) is `values[n, s]` in the window at `corner[n, s]`, and 0 elsewhere.

    values  (N or 1, S, C, *size)
    corner  (N or 1, S, axes), integers: the window's first place; a window may reach beyond the map
    clean   whether values beyond the map are zero; where they are not, they mean nothing
    """

    values: Tensor
    corner: Tensor
    clean: bool = False

    @property
    def size(self) -> Size:
        """Extent of the windows, one number an axis."""
        return self.values.shape[3:]

    def gather(self, maps: Tensor) -> Tensor:
        """What stands in each window of maps (N or 1, C, *sides), zeros beyond: (N or 1, S, C, *size)."""
        before, after = self._overhang(maps.shape[2:])
        view = F.pad(maps, [amount for pair in reversed(list(zip(before, after, strict=True))) for amount in pair])
        for axis, extent in enumerate(self.size):
            view = view.unfold(2 + axis, extent, 1)
        sample = torch.arange(len(maps), device=maps.device)[:, None]
        places = [self.corner[..., axis] + start for axis, start in enumerate(before)]
        taken: Tensor = view.movedim(1, 1 + len(places))[(sample, *places)]
        return taken

    def inner(self, maps: Tensor) -> Tensor:
        """<row, map>, shape (N or 1, S), for maps (N or 1, C, *sides)."""
        return total(self.values, self.gather(maps))

    def weigh(self, weights: Tensor) -> Tensor:
        """<|row|, weights>, shape (N or 1, S)."""
        return total(self.values.abs(), self.gather(weights))

    def cleaned(self, sides: Size) -> Windows:
        """The same with zeros beyond a map of these sides."""
        if self.clean:
            return self
        mask = self.gather(torch.ones(1, 1, *sides, dtype=self.values.dtype, device=self.values.device))
        return Windows(self.values * mask, self.corner, clean=True)

    def dense(self, shape: Size) -> Tensor:
        """The rows written out, (N or 1, S, *shape), for a map of shape (C, *sides)."""
        before, after = self._overhang(shape[1:])
        padded = [b + n + a for b, n, a in zip(before, shape[1:], after, strict=True)]
        leading = torch.broadcast_shapes(self.values.shape[:2], self.corner.shape[:2])
        index = torch.zeros(*self.corner.shape[:2], *[1] * len(padded), dtype=torch.long, device=self.corner.device)
        for axis, (start, extent) in enumerate(zip(before, self.size, strict=True)):
            along = torch.arange(extent, device=index.device).reshape(-1, *[1] * (len(padded) - 1 - axis))
            first = self.corner[..., axis].reshape(*self.corner.shape[:2], *[1] * len(padded)) + start
            index = index + (first + along) * math.prod(padded[axis + 1 :])
        blank = self.values.new_zeros(*leading, shape[0], math.prod(padded))
        index = index.flatten(2).unsqueeze(2).expand(*leading, shape[0], -1)
        values = self.values.flatten(3).expand(*leading, -1, -1)
        written = blank.scatter(3, index, values).reshape(*leading, shape[0], *padded)
        cut = tuple(slice(start, start + n) for start, n in zip(before, shape[1:], strict=True))
        return written[(slice(None), slice(None), slice(None), *cut)]

    def add(self, other: Windows) -> Windows | None:
        """The sum on windows that hold both; None where their corners do not keep one distance in all rows."""
        apart = (other.corner - self.corner).flatten(0, 1)
        if bool((apart != apart[:1]).any()):
            return None
        shift = [int(distance) for distance in apart[0]]
        first = [min(0, distance) for distance in shift]
        last = [max(n, d + m) for n, d, m in zip(self.size, shift, other.size, strict=True)]
        mine = _pad(self.values, [(-f, end - n) for f, end, n in zip(first, last, self.size, strict=True)])
        gaps = [(d - f, end - d - m) for f, d, end, m in zip(first, shift, last, other.size, strict=True)]
        corner = self.corner + torch.tensor(first, device=self.corner.device)
        return Windows(mine + _pad(other.values, gaps), corner, clean=self.clean and other.clean)

    def _overhang(self, sides: Size) -> tuple[list[int], list[int]]:
        """How far the windows reach beyond a map, before and after, on each axis."""
        low, high = (end.tolist() for end in self.corner.flatten(0, 1).aminmax(dim=0))
        before = [max(0, -first) for first in low]
        return before, [max(0, last + n - side) for last, n, side in zip(high, self.size, sides, strict=True)]


def total(first: Tensor, second: Tensor) -> Tensor:
    """Sums of products over all but the two leading axes."""
    return (first * second).flatten(2).sum(2)


def _pad(values: Tensor, amounts: list[tuple[int, int]]) -> Tensor:
    return F.pad(values, [amount for pair in reversed(amounts) for amount in pair])
