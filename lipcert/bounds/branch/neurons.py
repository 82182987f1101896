"""Branching on the signs of neurons before a ReLU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.bounder import Bounder, Intervals
from lipcert.bounds.branch.base import AbstractBranching, Bounded
from lipcert.bounds.branch.domains import Domains, join
from lipcert.bounds.branch.goal import Goals
from lipcert.bounds.branch.leaves import is_affine, solve
from lipcert.bounds.branch.multipliers import Starts, ascend
from lipcert.bounds.branch.relaxed import Neurons, Relaxed, cut
from lipcert.bounds.region import Region
from lipcert.rules.interval import Interval

_FAINT = 0.01
_STARTS = ("slopes", "multipliers", "weights")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronSettings:
    """steps: of ascent in a domain; root_steps: in a whole region; shortlist: neurons tried before one is split."""

    steps: int = 12
    root_steps: int = 30
    shortlist: int = 5


@final
class NeuronBranching(AbstractBranching):
    """Domains of a region by the sides of split neurons.

    intervals  of the regions, refined; a domain's own are those cut at its splits and propagated once more
    """

    def __init__(
        self,
        bounder: Bounder,
        region: Region,
        goals: Goals,
        intervals: Intervals,
        settings: NeuronSettings | None = None,
    ) -> None:
        self.bounder, self.region, self.goals = bounder, region, goals
        self.settings = settings or NeuronSettings()
        self.neurons = Neurons(bounder)
        self._low = self.neurons.gather({node: intervals[node].lower for node in self.neurons.nodes})
        self._high = self.neurons.gather({node: intervals[node].upper for node in self.neurons.nodes})

    def roots(self, goals: Tensor) -> Bounded:
        """Each goal's whole region."""
        shape = len(goals), self.neurons.count
        low, high = (end[self.goals.region[goals]] for end in (self._low, self._high))
        state = {
            "sides": torch.zeros(shape, dtype=torch.int8, device=low.device),
            "slopes": (high > -low).to(torch.float32),
            "multipliers": torch.zeros(shape, dtype=torch.float32, device=low.device),
            "weights": torch.ones_like(self.goals.offset[goals], dtype=torch.float32),
        }
        bound = torch.full_like(low[:, 0], -torch.inf)
        domains = Domains(goal=goals, bound=bound, state=state)
        return self._bound(self._best_row(domains), self.settings.root_steps)

    def _best_row(self, domains: Domains) -> Domains:
        """The same, with most of the weight on the row that alone has the best bound."""
        count = self.goals.rows.shape[1]
        if count == 1:
            return domains
        relaxed = self._relaxed(domains)
        slopes, multipliers, _ = _starts(domains)
        rows = torch.eye(count, dtype=torch.float64, device=slopes.device)
        with torch.no_grad():
            alone = [relaxed.lower(slopes, multipliers, row.expand(len(domains), -1)) for row in rows]
        best = torch.stack(alone, 1).argmax(1)
        weights = rows[best].clamp_min(_FAINT).to(torch.float32)
        return Domains(goal=domains.goal, bound=domains.bound, state=domains.state | {"weights": weights})

    def is_whole(self, domains: Domains) -> Tensor:
        """Where every neuron has one sign."""
        return (domains.state["shortlist"] < 0).all(1)

    def children(self, domains: Domains) -> Bounded:
        """Both sides of one neuron of each domain."""
        chosen = self._choose(domains)
        parts = join([self._side(domains, chosen, side) for side in (1, -1)])
        return self._bound(parts, self.settings.steps)

    def settle(self, domains: Domains) -> Bounded:
        """The optimum of each domain's linear programme, as a bound and as a point."""
        relaxed = self._relaxed(domains)
        points = relaxed.linearisation.region.centre.clone()
        if not is_affine(relaxed):
            return Bounded(domains=domains, points=points)
        relaxed = replace(relaxed, sides=self._signs(relaxed))
        leaves = [solve(relaxed, row) for row in range(len(domains))]
        slopes, _, _ = _starts(domains)
        multipliers = torch.stack([leaf.multipliers for leaf in leaves]).to(slopes.device)
        weights = torch.stack([leaf.weights for leaf in leaves]).to(slopes.device)
        with torch.no_grad():
            bound = relaxed.lower(slopes, multipliers, weights)
        for row, leaf in enumerate(leaves):
            points[row] = points[row] if leaf.point is None else leaf.point.to(points.device)
        bound = torch.fmax(domains.bound, bound)
        return Bounded(domains=Domains(goal=domains.goal, bound=bound, state=domains.state), points=points)

    def _signs(self, relaxed: Relaxed) -> Tensor:
        """Sides of all neurons: those never split have one sign by their intervals, which hold in the whole domain.

        0 where an interval holds both signs: nothing may then be assumed of the neuron.
        """
        intervals = relaxed.linearisation.intervals
        low = self.neurons.gather({node: intervals[node].lower for node in self.neurons.nodes})
        high = self.neurons.gather({node: intervals[node].upper for node in self.neurons.nodes})
        stable = (low >= 0).to(torch.int8) - ((high <= 0) & (low < 0)).to(torch.int8)
        return torch.where(relaxed.sides == 0, stable, relaxed.sides)

    def _side(self, domains: Domains, chosen: Tensor, side: int) -> Domains:
        sides = domains.state["sides"].scatter(1, chosen[:, None], side)
        return Domains(goal=domains.goal, bound=domains.bound, state=domains.state | {"sides": sides})

    def _bound(self, domains: Domains, steps: int) -> Bounded:
        relaxed = self._relaxed(domains)
        found = ascend(relaxed, _starts(domains), steps=steps)
        best, shortlist = found.gains.topk(min(self.settings.shortlist, self.neurons.count), 1)
        state = {
            "sides": domains.state["sides"],
            **{name: start.to(torch.float32) for name, start in zip(_STARTS, found.starts, strict=True)},
            "shortlist": torch.where(best > -torch.inf, shortlist, -1).to(torch.int32),
        }
        bound = torch.fmax(domains.bound, found.bound)
        return Bounded(domains=Domains(goal=domains.goal, bound=bound, state=state), points=found.points)

    def _relaxed(self, domains: Domains) -> Relaxed:
        where = self.goals.region[domains.goal]
        sides = domains.state["sides"]
        low, high = cut(self._low[where], self._high[where], sides)
        lows, highs = self.neurons.scatter(low), self.neurons.scatter(high)
        region = self.region[where]
        given = {node: Interval(lows[node], highs[node]) for node in self.neurons.nodes}
        with torch.no_grad():
            intervals = self.bounder.intervals(region, given)
        return Relaxed(
            linearisation=self.bounder.linearise(region, intervals),
            neurons=self.neurons,
            rows=self.goals.rows[domains.goal],
            offset=self.goals.offset[domains.goal],
            sides=sides,
        )

    def _choose(self, domains: Domains) -> Tensor:
        """Of the shortlist, the neuron whose poorer side has the best bound before any ascent."""
        shortlist = domains.state["shortlist"].to(torch.int64)
        scores = []
        for chosen in shortlist.unbind(1):
            sides = [self._side(domains, chosen.clamp_min(0), side) for side in (1, -1)]
            both = join(sides)
            with torch.no_grad():
                bound = self._relaxed(both).lower(*_starts(both))
            first, second = bound.clamp_max(0.0).chunk(2)
            score = torch.minimum(first, second) + 1e-3 * (first + second)
            scores.append(torch.where(chosen >= 0, score, -torch.inf))
        return shortlist.gather(1, torch.stack(scores, 1).argmax(1)[:, None])[:, 0]


def _starts(domains: Domains) -> Starts:
    slopes, multipliers, weights = (domains.state[name].to(torch.float64) for name in _STARTS)
    return slopes, multipliers, weights
