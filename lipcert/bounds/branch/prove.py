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
from lipcert.bounds.branch.search import CERTIFIED, FALSIFIED, OPEN, STUCK, Found, Judge, SearchSettings, search
from lipcert.bounds.linearisation import Intervals
from lipcert.bounds.region import Region
from lipcert.progress import Progress, silent

_FEW_INPUTS = 16
_BATCH = {True: 1024, False: 256}


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

    Where the neurons have all been cut, or there is none, the inputs are what is left to cut, whatever their number.

    region     in linf where inputs are cut, in any norm otherwise
    effort     "fast" bounds each region whole and cuts nothing
    intervals  of the regions, refined, where they are known already
    """
    found = Found(status=torch.full((len(goals),), OPEN), points={})
    few = region.centre[0].numel() <= _FEW_INPUTS and region.norm == "linf"
    neurons = any(node.op == "relu" for node in bounder.nodes)
    ways: list[bool] = [True] if few or not neurons else [False, True]
    for inputs in ways:
        if inputs and region.norm != "linf":
            break
        found.status[found.status == STUCK] = OPEN
        if not bool((found.status == OPEN).any()):
            break
        branching: AbstractBranching
        if inputs:
            branching, found.method = InputBranching(bounder, region, goals), "branch and bound on inputs"
        else:
            steps = NeuronSettings(steps=24, root_steps=60) if effort == "high" else NeuronSettings()
            whole = bounder.refine(region) if intervals is None else intervals
            branching = NeuronBranching(bounder, region, goals, whole, steps)
            found.method = "branch and bound on neurons"
        settings = SearchSettings(batch=_BATCH[inputs], most_bytes=bounder.max_memory, cut=effort != "fast")
        search(branching, goals, judge, found, settings=settings, expired=expired, watch=_watcher(progress))
    if found.domains <= len(goals):
        found.method = "linear bounds"
    return found


def _watcher(progress: Progress) -> Callable[[Found], None]:
    def watch(found: Found) -> None:
        closed = (found.status == CERTIFIED) | (found.status == FALSIFIED)
        progress("certify", int(closed.sum()), len(found.status))

    return watch
