"""Branch and bound: cut what is open, bound the parts, look at the points where the bounds are attained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.branch.base import AbstractBranching, Bounded
from lipcert.bounds.branch.domains import Domains, join
from lipcert.bounds.branch.goal import Goals

Judge = Callable[[Tensor, Tensor], Tensor]
"""(points (N, *input_shape), goals (N,)) -> (N,) whether a point of the goal's region falsifies it, beyond doubt."""

OPEN, CERTIFIED, FALSIFIED, STUCK = 0, 1, 2, 3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How a search goes about it.

    batch       domains bounded together
    most_bytes  what open domains may take before the search is given up
    cut         whether regions are cut at all, once each has been bounded whole
    """

    batch: int = 256
    most_bytes: int = 2**30
    cut: bool = True


@final
@dataclass(eq=False, kw_only=True)
class Found:
    """What a search found.

    status   (M,) of each goal: OPEN where time ran out, CERTIFIED, FALSIFIED, or STUCK where nothing is left to cut
    points   goal -> the point that falsifies it
    domains  how many domains were bounded
    method   what was tried last
    reason   why it ended before every goal was closed
    """

    status: Tensor
    points: dict[int, Tensor]
    domains: int = 0
    method: str = "linear bounds"
    reason: str = ""


def search(
    branching: AbstractBranching,
    goals: Goals,
    judge: Judge,
    found: Found,
    *,
    settings: SearchSettings,
    expired: Callable[[], bool],
    watch: Callable[[Found], None] = lambda _: None,
) -> None:
    """Show each goal that is OPEN in `found`, falsify it, or run out of time.

    Goals with the fewest open domains come first, and of each the domains with the poorest bounds. A goal is CERTIFIED
    once every domain has a bound above 0: the domains cover its region, each proof holds for a whole domain, and a
    goal's rows are not all <= 0 where one combination of them is positive. `watch` is told after each batch.

    expired  asked before each batch whether to stop
    """
    waiting = (found.status == OPEN).nonzero().flatten()
    left: list[Domains] = []
    while len(waiting) or (left and len(left[0])):
        if expired():
            found.reason = "the time ran out"
            return
        if len(waiting):
            bounded = branching.roots(waiting[: settings.batch])
            waiting = waiting[settings.batch :]
        elif not settings.cut:
            found.reason = "regions were not cut into parts"
            return
        else:
            batch, left[0] = _take(left[0], settings.batch // 2)
            bounded = _cut(branching, batch, goals, judge, found)
        joined = join([*left, _sift(bounded, goals, judge, found)])
        left, waiting = [joined[found.status[joined.goal] == OPEN]], waiting[found.status[waiting] == OPEN]
        _close(found, left[0], waiting)
        watch(found)
        if left[0].size > settings.most_bytes:
            found.reason = "the open parts would take more memory than allowed"
            return


def _cut(branching: AbstractBranching, batch: Domains, goals: Goals, judge: Judge, found: Found) -> Bounded:
    """The parts of domains; those that have none are settled as far as they can be."""
    whole, batch = batch.split(branching.is_whole(batch))
    _mark_stuck(found, _sift(branching.settle(whole), goals, judge, found) if len(whole) else whole)
    return branching.children(batch)


def _mark_stuck(found: Found, domains: Domains) -> None:
    """Their goals cannot be shown any more, though they may yet be falsified elsewhere."""
    stuck = domains.goal[found.status[domains.goal] == OPEN]
    if len(stuck):
        found.status[stuck] = STUCK
        found.reason = "some parts cannot be cut any further"


def _take(domains: Domains, count: int) -> tuple[Domains, Domains]:
    """`count` domains of the goals nearest to their end, and the rest."""
    load = torch.bincount(domains.goal)[domains.goal]
    order = torch.argsort(domains.bound, stable=True)
    order = order[torch.argsort(load[order], stable=True)]
    return domains[order[:count]], domains[order[count:]]


def _sift(bounded: Bounded, goals: Goals, judge: Judge, found: Found) -> Domains:
    """The domains still open; points that falsify their goals are noted, with all goals of their groups closed.

    A bound that is no number, or infinite, shows nothing.
    """
    domains = bounded.domains
    found.domains += len(domains)
    still = ~((domains.bound > 0) & domains.bound.isfinite())
    if still.any():
        points, about = bounded.points[still], domains.goal[still]
        for row in judge(points, about).nonzero().flatten().tolist():
            goal = int(about[row])
            found.points.setdefault(goal, points[row])
            found.status[goals.group == goals.group[goal]] = FALSIFIED
    return domains[still]


def _close(found: Found, open_domains: Domains, waiting: Tensor) -> None:
    """Goals without an open domain are shown."""
    pending = found.status == OPEN
    pending[open_domains.goal] = False
    pending[waiting] = False
    found.status[pending] = CERTIFIED
