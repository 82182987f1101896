"""The effort ladder: each sample climbs until something proves it, and nobody climbs in vain for long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.certificates.allowance import Allowance
from lipcert.analyses.certificates.rungs import Batch, Rung, reach
from lipcert.analyses.certificates.standing import Standing
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.price import refining_price
from lipcert.bounds.region import Region
from lipcert.deadline import Deadline
from lipcert.records import Norm

BATCH = 64
PROBE = 16
_POOR = 8  # one proof in so many, and the rest of a ball, which promises less, is given up


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Ladder:
    """Samples, and the bounds that prove them.

    inputs       (N, *input_shape), float64, on the device of the bounder's graph
    labels       (N,)
    clean        (N,) margins at the samples, about; they only say where work is worth while
    input_range  the region is the ball's part inside it
    persistent   try every sample; else a ball is given up when almost all of a batch of the most promising fails
    batch        samples together, at most
    """

    bounder: Bounder
    inputs: Tensor
    labels: Tensor
    clean: Tensor
    input_range: tuple[float, float] | None
    persistent: bool = False
    batch: int = BATCH
    _prices: dict[object, float] = field(default_factory=dict)

    def climb(
        self, standing: Standing, rows: Tensor, rungs: Sequence[Rung], deadline: Deadline, allowance: Allowance
    ) -> bool:
        """Take some samples of one ball up these rungs, in this order. Whether further ones are worth trying."""
        if not len(rows):
            return False
        for some in rows.split(self.batch):
            few = some[: self._affordable(standing, some, rungs, allowance)]
            if deadline.passed or not len(few):
                return False
            proved = self._batch(standing, few, rungs, deadline)
            if not self.persistent and proved * _POOR < len(few):
                return False
        return True

    def promising(self, standing: Standing, rows: Tensor) -> Tensor:
        """Those with the best bound so far first; between equals, those with the largest margin."""
        rows = rows[self.clean[rows].argsort(descending=True, stable=True)]
        return rows[standing.margin[rows].argsort(descending=True, stable=True)]

    def price(self, rows: Tensor, norm: Norm, eps: Tensor) -> float:
        """Multiply-adds that dear bounds of one of these samples take, about; worked out once."""
        key = (tuple(rows.tolist()), norm, tuple(eps.tolist()))
        if key not in self._prices:
            region = self.batch_of(rows, norm, eps).region
            with torch.no_grad():
                self._prices[key] = refining_price(self.bounder.linearise(region, self.bounder.intervals(region)))
        return self._prices[key]

    def _affordable(self, standing: Standing, rows: Tensor, rungs: Sequence[Rung], allowance: Allowance) -> int:
        """How many of a batch to try, paid for."""
        if math.isinf(allowance.left) or not any(rung.dear for rung in rungs):
            return len(rows)
        price = self.price(rows[:1], standing.norm, torch.full((1,), standing.eps, dtype=torch.float64))
        count = allowance.affords(price, len(rows))
        allowance.pay(price * count)
        return count

    def _batch(self, standing: Standing, rows: Tensor, rungs: Sequence[Rung], deadline: Deadline) -> int:
        """How many of these samples were proved."""
        eps = torch.full((len(rows),), standing.eps, dtype=torch.float64)
        batch, proved = self.batch_of(rows, standing.norm, eps), 0
        for rung in rungs:
            worth = rung.worth(batch)
            if deadline.passed or not worth.any():
                continue
            part = batch if worth.all() else batch.keep(worth)
            with torch.no_grad():
                found = rung.bound(self.bounder, part)
            standing.climbed[part.samples] |= rung.dear
            new = torch.zeros_like(worth)
            new[worth] = standing.prove(part.samples, found, rung.name).to(worth.device)
            batch.margin[worth] = torch.maximum(batch.margin[worth], found.nan_to_num(nan=-torch.inf))
            batch, proved = batch.keep(~new), proved + int(new.sum())
        if len(batch.samples) and batch.refined is not None and not deadline.passed:
            with torch.no_grad():
                standing.reach[batch.samples] = reach(self.bounder, batch).cpu()
        return proved

    def batch_of(self, rows: Tensor, norm: Norm, eps: Tensor) -> Batch:
        """Some samples, each with its own radius, shape (n,), before any bound is known."""
        centre, labels = self.inputs[rows.to(self.inputs.device)], self.labels[rows.to(self.labels.device)]
        return Batch(
            samples=rows,
            region=Region(centre, norm, eps.to(centre.device), self.input_range),
            labels=labels,
            clean=self.clean[rows].to(labels.device),
            margin=torch.full_like(self.clean[rows], -torch.inf).to(labels.device),
        )
