"""Branching on the inputs themselves: boxes cut in halves, for networks that read a few numbers."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.branch.base import AbstractBranching, Bounded
from lipcert.bounds.branch.domains import Domains
from lipcert.bounds.branch.goal import Goals
from lipcert.bounds.region import Region
from lipcert.rules.interval import Interval

_STAY, _TINY = 0.02, 1e-300


@final
class InputBranching(AbstractBranching):
    """Domains of a region as smaller boxes, each bounded afresh.

    Every real input of a box lies in one of its halves, so nothing is lost. A domain's bound is the best of its
    goal's rows; as boxes shrink to points one row is positive there, or the point falsifies the goal.
    """

    def __init__(self, bounder: Bounder, region: Region, goals: Goals) -> None:
        self.bounder, self.goals = bounder, goals
        self._box = region.interval()

    def roots(self, goals: Tensor) -> Bounded:
        """Each goal's whole box."""
        where = self.goals.region[goals]
        bound = torch.full_like(self.goals.offset[goals][:, 0], -torch.inf)
        return self._bound(goals, bound, Interval(self._box.lower[where], self._box.upper[where]))

    def is_whole(self, domains: Domains) -> Tensor:
        """Where no number lies between the ends of the side that would be cut."""
        low, high, _, middle = self._sides(domains)
        return (middle <= low) | (middle >= high)

    def children(self, domains: Domains) -> Bounded:
        """Two halves of the side along which the linear bound falls most."""
        _, _, side, middle = self._sides(domains)
        low, high = domains.state["low"], domains.state["high"]
        shape = low.shape
        flat = side[:, None], middle[:, None]
        lower = Interval(low, high.flatten(1).scatter(1, *flat).reshape(shape))
        upper = Interval(low.flatten(1).scatter(1, *flat).reshape(shape), high)
        both = Interval(torch.cat([lower.lower, upper.lower]), torch.cat([lower.upper, upper.upper]))
        return self._bound(domains.goal.repeat(2), domains.bound.repeat(2), both)

    def settle(self, domains: Domains) -> Bounded:
        """Nothing more: a point."""
        return Bounded(domains=domains, points=domains.state["low"])

    def _sides(self, domains: Domains) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Ends of the side to be cut, (N,), which one it is, and where it is cut."""
        side = domains.state["side"].to(torch.int64)
        low, high = (domains.state[end].flatten(1).gather(1, side[:, None])[:, 0] for end in ("low", "high"))
        return low, high, side, low / 2 + high / 2

    def _bound(self, goals: Tensor, bound: Tensor, box: Interval) -> Bounded:
        region = Region(box.centre, "linf", box.radius)
        linear = self.bounder.refined(region)
        probe = torch.zeros_like(region.centre).unsqueeze(1).requires_grad_()
        rows = self.goals.rows[goals]
        probes = {linear.plan.nodes[0]: probe.expand(-1, rows.shape[1], *probe.shape[2:])}
        best, _ = (linear.lower(rows, extra=probes) + self.goals.offset[goals]).max(1)
        (points,) = torch.autograd.grad(best.sum(), probe, materialize_grads=True)
        side = self._longest(region, rows)
        state = {"low": box.lower, "high": box.upper, "side": side.to(torch.int32)}
        bound = torch.fmax(bound, best.detach())
        return Bounded(domains=Domains(goal=goals, bound=bound, state=state), points=points[:, 0].detach())

    def _longest(self, region: Region, rows: Tensor) -> Tensor:
        """The side, (N,), along which the bounds fall most, its effect on the intervals inside the network included.

        Those are taken by interval propagation, whose derivatives are to be had; the linear bound alone would not
        see a side on whose two halves the network bends opposite ways.
        """
        radius = region.eps.clone().requires_grad_()
        movable = Region(region.centre, "linf", radius)
        value = self.bounder.linearise(movable, self.bounder.intervals(movable)).lower(rows)
        (fall,) = torch.autograd.grad(value.sum(), radius, materialize_grads=True)
        width = radius.detach().flatten(1)
        score = -fall.flatten(1).nan_to_num() * width
        score = score + _STAY * score.amax(1, keepdim=True) * width / width.amax(1, keepdim=True).clamp_min(_TINY)
        return torch.where(score.amax(1, keepdim=True) > 0, score, width).argmax(1)
