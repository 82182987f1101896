"""Ways to bound margins from below in a region, from cheap to dear. Each is sound by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.certificates.local import local_margins
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.linearisation import Intervals
from lipcert.bounds.region import Region
from lipcert.records import Effort
from lipcert.rules.interval import Interval

_STEPS = 10


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

    dear   whether it tightens the bounds inside the network, which is what costs
    worth  which samples of a batch are worth the work, shape (n,)
    """

    name: str
    bound: Callable[[Bounder, Batch], Tensor]
    dear: bool = False
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


def _by_local_constant(bounder: Bounder, batch: Batch) -> Tensor:
    if batch.refined is None:
        batch.refined = bounder.refine(batch.region)
    return local_margins(bounder, batch.region, batch.labels, batch.refined)[0]


def _by_either(bounder: Bounder, batch: Batch) -> Tensor:
    found = _by_refined_bounds(bounder, batch)
    return found if batch.region.norm != "l2" else torch.maximum(found, _by_local_constant(bounder, batch))


def _by_final_slopes(bounder: Bounder, batch: Batch) -> Tensor:
    if batch.refined is None:
        batch.refined = bounder.refine(batch.region)
    margins = bounder.margins(batch.region, batch.labels, batch.refined, slopes="final", steps=_STEPS)
    return smallest(margins, batch.labels)


def _by_all_slopes(bounder: Bounder, batch: Batch) -> Tensor:
    return smallest(bounder.margins(batch.region, batch.labels, slopes="full"), batch.labels)


def _nearly(share: float) -> Callable[[Batch], Tensor]:
    """Samples whose bound fell short by less than `share` of the way from the clean margin down to it."""
    return lambda batch: batch.margin > -share * (batch.clean - batch.margin)


def _in_l2(batch: Batch) -> Tensor:
    """All samples where the ball is one of l2."""
    return torch.full_like(batch.labels, batch.region.norm == "l2", dtype=torch.bool)


INTERVALS = Rung(name="intervals", bound=_by_intervals)
COARSE = Rung(name="linear bounds over intervals", bound=_by_linear_bounds)
REFINED = Rung(name="linear bounds", bound=_by_refined_bounds, dear=True)
LOCAL = Rung(
    name="local Lipschitz constant", bound=_by_local_constant, worth=lambda batch: _in_l2(batch) & _nearly(0.5)(batch)
)
EITHER = Rung(name="linear bounds or local Lipschitz constant", bound=_by_either, dear=True)
# What choosing slopes gains was a few per cent of that way in every network measured.
FINAL = Rung(name="linear bounds with last slopes chosen", bound=_by_final_slopes, worth=_nearly(0.1))
FULL = Rung(name="linear bounds with all slopes chosen", bound=_by_all_slopes, worth=_nearly(0.3))

CHEAP: Sequence[Rung] = (INTERVALS, COARSE)
DEAR: dict[Effort, Sequence[Rung]] = {
    "fast": (REFINED, LOCAL),
    "default": (REFINED, LOCAL, FINAL),
    "high": (REFINED, LOCAL, FINAL, FULL),
}


def reach(bounder: Bounder, batch: Batch, *, halvings: int = 4) -> Tensor:
    """Radii up to that of each region at which its refined intervals still prove the sample, shape (n,); 0 for none.

    Intervals of a region hold for every smaller one of the same centre, so each step costs one backward pass.
    """
    assert batch.refined is not None
    low, high = torch.zeros_like(batch.region.eps), batch.region.eps
    for _ in range(halvings):
        middle = (low + high) / 2
        region = Region(batch.region.centre, batch.region.norm, middle, batch.region.input_range)
        proved = smallest(bounder.margins(region, batch.labels, batch.refined), batch.labels) > 0
        low, high = torch.where(proved, middle, low), torch.where(proved, high, middle)
    return torch.maximum(low, local_margins(bounder, batch.region, batch.labels, batch.refined)[1])
