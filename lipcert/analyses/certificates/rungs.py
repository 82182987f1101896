"""Ways to bound margins from below in a region, from cheap to dear. Each is sound by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.linearisation import Intervals
from lipcert.bounds.region import Region
from lipcert.rules.interval import Interval


@final
@dataclass(eq=False, kw_only=True)
class Batch:
    """Samples on the ladder together.

    samples    their indices, shape (n,)
    labels     (n,)
    clean      their margins at the centre, about, shape (n,)
    margin     the best bound so far, shape (n,)
    intervals  of every node, and `refined` ones, once some rung needed them
    """

    samples: Tensor
    region: Region
    labels: Tensor
    clean: Tensor
    margin: Tensor
    intervals: Intervals | None = None
    refined: Intervals | None = None

    def keep(self, mask: Tensor) -> Batch:
        """Some of these samples, with what is known of them."""
        return Batch(
            samples=self.samples[mask.cpu()],
            region=self.region[mask],
            labels=self.labels[mask],
            clean=self.clean[mask],
            margin=self.margin[mask],
            intervals=_some(self.intervals, mask),
            refined=_some(self.refined, mask),
        )


def _some(intervals: Intervals | None, mask: Tensor) -> Intervals | None:
    if intervals is None:
        return None
    return {node: Interval(box.lower[mask], box.upper[mask]) for node, box in intervals.items()}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One way: what reports call it, and the smallest margin it proves of each sample of a batch, shape (n,).

    worth  which samples of a batch are worth the work, shape (n,)
    """

    name: str
    bound: Callable[[Bounder, Batch], Tensor]
    worth: Callable[[Batch], Tensor] = lambda batch: torch.ones_like(batch.labels, dtype=torch.bool)


def smallest(margins: Tensor, labels: Tensor) -> Tensor:
    """The smallest of each row but for its label's own entry, shape (n,)."""
    return margins.scatter(1, labels[:, None], torch.inf).amin(dim=1)


def _by_intervals(bounder: Bounder, batch: Batch) -> Tensor:
    batch.intervals = bounder.intervals(batch.region)
    logits = batch.intervals[bounder.nodes[-1]].reshape(torch.Size([bounder.plan.graph.classes]))
    own = logits.lower.gather(1, batch.labels[:, None])
    return smallest(torch.nextafter(own - logits.upper, torch.full_like(own, -torch.inf)), batch.labels)


def _by_linear_bounds(bounder: Bounder, batch: Batch) -> Tensor:
    if batch.intervals is None:
        batch.intervals = bounder.intervals(batch.region)
    return smallest(bounder.margins(batch.region, batch.labels, batch.intervals), batch.labels)


def _by_refined_bounds(bounder: Bounder, batch: Batch) -> Tensor:
    batch.refined = bounder.refine(batch.region)
    return smallest(bounder.margins(batch.region, batch.labels, batch.refined), batch.labels)


INTERVALS = Rung(name="intervals", bound=_by_intervals)
COARSE = Rung(name="linear bounds over intervals", bound=_by_linear_bounds)
REFINED = Rung(name="linear bounds", bound=_by_refined_bounds)

CHEAP: Sequence[Rung] = (INTERVALS, COARSE)
