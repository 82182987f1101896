"""Bounds of ops whose every output entry is an entry of an input, or a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Size, Tensor

from lipcert.rounding import gamma
from lipcert.rules.interval import Interval
from lipcert.rules.relaxation import Affine


@final
@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """What stands where.

    places    (outputs,): the entry of the inputs that each output copies, numbered on through all inputs; -1 for none
    constant  (1, *shape): what stands where nothing is copied
    sizes     entries of one sample of each input
    """

    places: Tensor
    constant: Tensor
    sizes: tuple[Size, ...]

    @property
    def shape(self) -> Size:
        """Entries of one sample of the output."""
        return self.constant.shape[1:]

    @property
    def plain(self) -> bool:
        """Whether nothing moves: the outputs are the entries of the one input in order."""
        count = len(self.places)
        alone = len(self.sizes) == 1 and self.sizes[0].numel() == count
        return alone and bool((self.places == torch.arange(count, device=self.places.device)).all())

    def interval(self, inputs: Sequence[Interval]) -> Interval:
        """Both ends copied: exact."""
        if self.plain:
            return inputs[0].reshape(self.shape)
        return Interval(self._copied([x.lower for x in inputs]), self._copied([x.upper for x in inputs]))

    def _copied(self, values: Sequence[Tensor]) -> Tensor:
        flat = torch.cat([value.flatten(1) for value in values], 1)
        if not flat.shape[1]:
            return self.constant.expand(len(flat), *self.shape)
        found = flat[:, self.places.clamp_min(0)].reshape(-1, *self.shape)
        return torch.where((self.places < 0).reshape(self.shape), self.constant, found)

    def relaxation(self, inputs: Sequence[Interval]) -> Affine:
        """Rows travel back along the copies. Where one entry is copied often, they are added up, at a price."""
        offset = self.constant if bool((self.places < 0).any()) else None
        if self.plain:
            size = self.sizes[0]
            return Affine((lambda rows: rows.reshape(-1, *size),), identity=size == self.shape)
        slack: Tensor | float = 0.0
        counts = torch.bincount(self.places[self.places >= 0])
        most = int(counts.max()) if counts.numel() else 0
        if most > 1:
            slack = gamma(most + 2) * self.interval(inputs).magnitude
        return Affine(self._adjoints(), offset, slack)

    def _adjoints(self) -> tuple[Callable[[Tensor], Tensor] | None, ...]:
        adjoints, start = [], 0
        for size in self.sizes:
            adjoints.append(self._adjoint(start, size))
            start += size.numel()
        return tuple(adjoints)

    def _adjoint(self, start: int, size: Size) -> Callable[[Tensor], Tensor] | None:
        count = size.numel()
        mine = ((self.places >= start) & (self.places < start + count)).nonzero().flatten()
        if not mine.numel():
            return None
        targets = self.places[mine] - start
        every = len(mine) == len(self.places)

        def adjoint(rows: Tensor) -> Tensor:
            flat = rows.flatten(1)
            chosen = flat if every else flat[:, mine]
            pulled = torch.zeros(len(flat), count, dtype=flat.dtype, device=flat.device)
            return pulled.index_add_(1, targets, chosen).reshape(-1, *size)

        return adjoint
