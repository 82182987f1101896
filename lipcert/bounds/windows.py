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
    """Functionals of a map (C, *sides): row (n, s) is `values[n, s]` in its window, and 0 elsewhere.

    values  (N, S, C, *size)
    places  (P, axes), integers: first places of windows, which may reach beyond the map
    at      (N, S): row (n, s) has the window at `places[at[n, s]]`
    clean   whether values beyond the map are zero; where they are not, they mean nothing
    """

    values: Tensor
    places: Tensor
    at: Tensor
    clean: bool = False

    @property
    def size(self) -> Size:
        """Extent of the windows, one number an axis."""
        return self.values.shape[3:]

    def gather(self, maps: Tensor) -> Tensor:
        """What stands in each window of maps (N or 1, C, *sides), zeros beyond: (N, S, C, *size)."""
        before, after = self._overhang(maps.shape[2:])
        view = F.pad(maps, [amount for pair in reversed(list(zip(before, after, strict=True))) for amount in pair])
        for axis, extent in enumerate(self.size):
            view = view.unfold(2 + axis, extent, 1)
        sample = torch.arange(len(maps), device=maps.device)[:, None]
        index = [self.places[None, :, axis] + start for axis, start in enumerate(before)]
        table = view.movedim(1, 1 + len(index))[(sample, *index)].flatten(0, 1)
        rows = self.at if len(maps) == 1 else self.at + sample * len(self.places)
        return table.index_select(0, rows.flatten()).reshape(*self.at.shape, *table.shape[1:])

    def inner(self, maps: Tensor) -> Tensor:
        """<row, map>, shape (N, S), for maps (N or 1, C, *sides)."""
        return total(self.values, self.gather(maps))

    def weigh(self, weights: Tensor) -> Tensor:
        """<|row|, weights>, shape (N, S)."""
        return total(self.values.abs(), self.gather(weights))

    def cleaned(self, sides: Size) -> Windows:
        """The same with zeros beyond a map of these sides."""
        if self.clean:
            return self
        mask = self.gather(torch.ones(1, 1, *sides, dtype=self.values.dtype, device=self.values.device))
        return self.replaced(self.values * mask)

    def replaced(self, values: Tensor) -> Windows:
        """Other values, zero beyond the map, in the same windows."""
        return Windows(values, self.places, self.at, clean=True)

    def dense(self, shape: Size) -> Tensor:
        """The rows written out, (N, S, *shape), for a map of shape (C, *sides)."""
        before, after = self._overhang(shape[1:])
        padded = [b + n + a for b, n, a in zip(before, shape[1:], after, strict=True)]
        index = torch.zeros(len(self.places), *[1] * len(padded), dtype=torch.long, device=self.places.device)
        for axis, (start, extent) in enumerate(zip(before, self.size, strict=True)):
            along = torch.arange(extent, device=index.device).reshape(-1, *[1] * (len(padded) - 1 - axis))
            first = self.places[:, axis].reshape(-1, *[1] * len(padded)) + start
            index = index + (first + along) * math.prod(padded[axis + 1 :])
        leading = self.values.shape[:3]
        blank = self.values.new_zeros(*leading, math.prod(padded))
        index = index.flatten(1)[self.at].unsqueeze(2).expand(*leading, -1)
        written = blank.scatter(3, index, self.values.flatten(3)).reshape(*leading, *padded)
        cut = tuple(slice(start, start + n) for start, n in zip(before, shape[1:], strict=True))
        return written[(slice(None), slice(None), slice(None), *cut)]

    def add(self, other: Windows) -> Windows | None:
        """The sum on windows that hold both; None where their corners do not keep one distance in all rows."""
        if self.at is not other.at:
            return None
        apart = other.places - self.places
        if bool((apart != apart[:1]).any()):
            return None
        shift = [int(distance) for distance in apart[0]]
        first = [min(0, distance) for distance in shift]
        last = [max(n, d + m) for n, d, m in zip(self.size, shift, other.size, strict=True)]
        mine = _pad(self.values, [(-f, end - n) for f, end, n in zip(first, last, self.size, strict=True)])
        gaps = [(d - f, end - d - m) for f, d, end, m in zip(first, shift, last, other.size, strict=True)]
        places = self.places + torch.tensor(first, device=self.places.device)
        return Windows(mine + _pad(other.values, gaps), places, self.at, clean=self.clean and other.clean)

    def _overhang(self, sides: Size) -> tuple[list[int], list[int]]:
        """How far the windows reach beyond a map, before and after, on each axis."""
        low, high = (end.tolist() for end in self.places.aminmax(dim=0))
        before = [max(0, -first) for first in low]
        return before, [max(0, last + n - side) for last, n, side in zip(high, self.size, sides, strict=True)]


def total(first: Tensor, second: Tensor) -> Tensor:
    """Sums of products over all but the two leading axes."""
    return (first * second).flatten(2).sum(2)


def _pad(values: Tensor, amounts: list[tuple[int, int]]) -> Tensor:
    return F.pad(values, [amount for pair in reversed(amounts) for amount in pair])
