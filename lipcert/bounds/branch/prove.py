"""Goals shown or falsified by whatever way of branching suits the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.branch.base import AbstractBranching
from lipcert.bounds.branch.goal import Goals
from lipcert.bounds.branch.inputs import InputBranching
from lipcert.bounds.branch.neurons import NeuronBranching, NeuronSettings
from lipcert.bounds.branch.relaxed import Neurons
from lipcert.bounds.branch.search import CERTIFIED, FALSIFIED, OPEN, STUCK, Found, Judge, SearchSettings, search
from lipcert.bounds.linearisation import Intervals
from lipcert.bounds.region import Region
from lipcert.progress import Progress, silent

_FEW_INPUTS, _FEW_NEURONS = 16, 24
_BATCH = {"inputs": 1024, "neurons": 256}
_COPIES = 40  # float64 tensors of each node's size that a domain takes while it is bounded, about
Way = Literal["inputs", "neurons"]


def prove(
    bounder: Bounder,
    region: Region,
    goals: Goals,
    judge: Judge,
    *,
    expired: Callable[[], bool],
    effort: Literal["fast", "default", "high"] = "default",
    intervals: Intervals | None = None,
    progress: Progress = silent,
) -> Found:
    """Show or falsify goals by cutting neurons' signs, or the inputs where there are few of them.

    Where all neurons have been cut, or there is none, the inputs are what is left to cut.

    region     in linf where inputs are cut, in any norm otherwise
    goals      on any device; the judge is given points and goals on that of the region
    effort     "fast" bounds each region whole and cuts nothing
    intervals  of the regions, refined, where they are known already
    """
    device = region.centre.device
    goals = goals.to(device)
    whole = bounder.refine(region) if intervals is None else intervals
    found = Found(status=torch.full((len(goals),), OPEN, device=device), points={})
    for way in _ways(bounder, region, whole):
        found.status[found.status == STUCK] = OPEN
        if not bool((found.status == OPEN).any()):
            break
        steps = NeuronSettings(steps=24, root_steps=60) if effort == "high" else NeuronSettings()
        branching: AbstractBranching = (
            InputBranching(bounder, region, goals)
            if way == "inputs"
            else NeuronBranching(bounder, region, goals, whole, steps)
        )
        found.method = f"branch and bound on {way}"
        settings = SearchSettings(batch=_batch(bounder, way), most_bytes=bounder.max_memory, cut=effort != "fast")
        search(branching, goals, judge, found, settings=settings, expired=expired, watch=_watcher(progress))
    found.method = "linear bounds" if found.domains <= len(goals) else found.method
    found.status = found.status.cpu()
    return found


def _ways(bounder: Bounder, region: Region, intervals: Intervals) -> list[Way]:
    """How to cut, in order: neurons where there are many inputs or few neurons without a sign, then inputs."""
    neurons = Neurons(bounder)
    after: list[Way] = ["inputs"] if region.norm == "linf" else []
    if not neurons.nodes:
        return after
    low = neurons.gather({node: intervals[node].lower for node in neurons.nodes})
    high = neurons.gather({node: intervals[node].upper for node in neurons.nodes})
    unsure = int(((low < 0) & (high > 0)).sum(1).max())
    many = region.centre[0].numel() > _FEW_INPUTS or region.norm != "linf"
    return ["neurons", *after] if many or unsure <= _FEW_NEURONS else after


def _batch(bounder: Bounder, way: Way) -> int:
    """Domains that are bounded together within the memory allowed."""
    entries = sum(node.shape.numel() for node in bounder.nodes)
    return max(2, min(_BATCH[way], bounder.max_memory // (8 * _COPIES * entries)))


def _watcher(progress: Progress) -> Callable[[Found], None]:
    def watch(found: Found) -> None:
        closed = (found.status == CERTIFIED) | (found.status == FALSIFIED)
        progress("certify", int(closed.sum()), len(found.status))

    return watch
