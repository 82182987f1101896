"""Proofs about samples, ball by ball, in stages between which attacks may run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.certificates.allowance import Allowance
from lipcert.analyses.certificates.branching import Breaks, branch
from lipcert.analyses.certificates.ladder import PROBE, Ladder
from lipcert.analyses.certificates.lipschitz import LipschitzRadii, convert
from lipcert.analyses.certificates.obstacle import obstacle
from lipcert.analyses.certificates.rungs import CHEAP, DEAR, EITHER, Rung
from lipcert.analyses.certificates.search import RadiusSearch, first_order_radius
from lipcert.analyses.certificates.standing import Standing
from lipcert.attacks import Target
from lipcert.deadline import Deadline
from lipcert.progress import Progress, silent
from lipcert.records import DeployDtype, Effort, Norm, Skipped

SEARCHED: dict[Effort, int | None] = {"fast": 0, "default": 16, "high": None}
"""Samples whose radius is searched for, where the allowance pays for them; None for all."""

ALLOWED: dict[Effort, float] = {"fast": 1e10, "default": 1.2e11, "high": math.inf}
"""Multiply-adds that dear bounds may take, where no time budget says."""

STEPS: dict[Effort, int] = {"fast": 0, "default": 5, "high": 12}
_BEYOND = 1.5
_LINEAR = 0.5
_SEARCHES = 0.1


@final
@dataclass(eq=False, kw_only=True)
class Certifier:
    """What is proved, and what proves more.

    standings     a ball each, in the order asked for
    lipschitz     radii from Lipschitz constants that support the statement; Skipped where there are none
    products      norm -> radii from products of layer norms alone, for contrast; they prove no ball
    ladder        bounds on regions; Skipped where an op has no rule for them
    deploy_dtype  the arithmetic all of this holds for
    features      number of inputs of one sample
    searched      norm -> samples whose radius was searched for
    breaks        (norm, eps) -> what branch and bound broke there
    obstacles     (norm, eps) -> why nothing is certified there, of the smallest ball of each norm
    """

    standings: tuple[Standing, ...]
    lipschitz: LipschitzRadii | Skipped
    products: dict[Norm, Tensor] = field(default_factory=dict)
    ladder: Ladder | Skipped
    deploy_dtype: DeployDtype
    features: int
    effort: Effort = "default"
    progress: Progress = silent
    searched: dict[Norm, int] = field(default_factory=dict)
    breaks: dict[tuple[Norm, float], Breaks] = field(default_factory=dict)
    obstacles: dict[tuple[Norm, float], str] = field(default_factory=dict)
    _found: dict[Norm, Tensor] = field(default_factory=dict)

    @property
    def clipped(self) -> bool:
        """Whether the proofs speak of the part of each ball inside the input range."""
        return isinstance(self.ladder, Ladder) and self.ladder.input_range is not None

    @property
    def norms(self) -> tuple[Norm, ...]:
        """The norms of the balls, once each."""
        return tuple(dict.fromkeys(standing.norm for standing in self.standings))

    def standing(self, norm: Norm, eps: float) -> Standing:
        """The verdicts in one ball."""
        return next(s for s in self.standings if (s.norm, s.eps) == (norm, eps))

    def start(self, deadline: Deadline) -> None:
        """The cheap proofs: Lipschitz constants, intervals, and linear bounds over intervals."""
        if isinstance(self.lipschitz, LipschitzRadii):
            for standing in self.standings:
                rows = standing.open
                margin = self.lipschitz.margin(standing.norm, standing.eps)
                standing.prove(rows, margin[rows], self.lipschitz.method)
        self._climb(CHEAP, deadline)

    def finish(self, target: Target, deadline: Deadline) -> None:
        """The dear ones, on what is neither proved nor broken.

        Branch and bound is among them where there is a deadline to fill, or the effort is high.

        target  who judges the points that branch and bound finds
        """
        self._climb(DEAR[self.effort], deadline.share(_LINEAR), self._allowed(deadline))
        if isinstance(self.ladder, Ladder) and (self.effort == "high" or math.isfinite(deadline.moment)):
            for index, standing in enumerate(self.standings):
                if len(rows := standing.open) and not deadline.passed:
                    share = deadline.share(1 / (len(self.standings) - index))
                    self.breaks[standing.norm, standing.eps] = branch(self.ladder, standing, rows, target, share)
                    self._pass_on(standing)
        if isinstance(self.ladder, Ladder) and not deadline.passed:
            for norm in self.norms:
                least = min((s for s in self.standings if s.norm == norm), key=lambda standing: standing.eps)
                self.obstacles[norm, least.eps] = obstacle(self.ladder, least, ALLOWED[self.effort])

    def _pass_on(self, inner: Standing) -> None:
        """What is broken in a ball is broken in every larger one of its norm."""
        for outer in self.standings:
            if outer.norm == inner.norm and outer.eps > inner.eps:
                outer.falsify(inner.broken & ~outer.certified, inner.by)

    def _allowed(self, deadline: Deadline) -> Allowance:
        """What the effort pays for, where no time budget says how long to go on."""
        return Allowance(ALLOWED[self.effort] if math.isinf(deadline.moment) else math.inf)

    def _climb(self, rungs: Sequence[Rung], deadline: Deadline, allowance: Allowance | None = None) -> None:
        """A few samples in each ball first, then the rest of the balls where some of the few were proved."""
        if not isinstance(self.ladder, Ladder):
            return
        allowed, balls = allowance or Allowance(), range(len(self.standings))
        done = {ball: torch.zeros_like(self.standings[ball].wrong) for ball in balls}
        alive = [ball for ball in balls if self._try(ball, done[ball], PROBE, rungs, deadline, allowed)]
        for index, ball in enumerate(alive):
            self.progress("certificates", index, len(alive))
            share = deadline.share(1 / (len(alive) - index))
            part = allowed.part(1 / (len(alive) - index))
            given = part.left
            self._try(ball, done[ball], None, rungs, share, part)
            allowed.pay(0.0 if math.isinf(given) else given - part.left)
        self.progress("certificates", len(alive), len(alive))

    def _try(  # noqa: PLR0917  where, whom, how, and two limits
        self,
        ball: int,
        done: Tensor,
        count: int | None,
        rungs: Sequence[Rung],
        deadline: Deadline,
        allowance: Allowance,
    ) -> bool:
        """Try the `count` most promising samples of a ball that are not done. Whether more are worth trying.

        What is not proved in a ball is not tried in a larger one, unless the effort is high.
        """
        assert isinstance(self.ladder, Ladder)
        standing, inner = self.standings[ball], self.standings[ball - 1] if ball else None
        rows = standing.open
        if inner is not None and inner.norm == standing.norm and not self.ladder.persistent:
            rows = rows[inner.certified[rows]]
        rows = self.ladder.promising(standing, rows[~done[rows]])[:count]
        done[rows] = True
        return self.ladder.climb(standing, rows, rungs, deadline, allowance)

    def attacked(self, standing: Standing, broken: Tensor, found: Sequence[str], kept: Tensor) -> None:
        """Take in an attack's finds in one ball: samples it broke, with what, and which certified ones still are."""
        standing.withdraw(kept.cpu())
        standing.falsify(broken, found)

    def search(self, errors: Mapping[Norm, Tensor], deadline: Deadline) -> None:
        """Look for radii beyond those that came for free, for as many samples as the effort pays for.

        errors  norm -> (N,) distances of the nearest errors known, infinite where there is none
        """
        if not isinstance(self.ladder, Ladder) or not STEPS[self.effort]:
            return
        rows = (~self.standings[0].wrong).nonzero()[:, 0][: SEARCHED[self.effort]]
        if not math.isfinite(deadline.moment):
            rows = rows[: self._searchable(rows)]
        if not len(rows):  # nor may a library be asked for gradients of no samples: some divide by their number
            return
        total = len(rows) * len(self.norms)
        for index, norm in enumerate(self.norms):
            self.progress("radii", index * len(rows), total)
            share = deadline.share(1 / (len(self.norms) - index))
            seek = RadiusSearch(self.ladder, EITHER, steps=STEPS[self.effort], deadline=share)
            self._found[norm], self.searched[norm] = seek.widen(
                norm, rows, self.radius(norm), self._beyond(norm, rows, errors)
            )
        self.progress("radii", total, total)

    def _searchable(self, rows: Tensor) -> int:
        """For how many of these samples a tenth of the allowance pays the searches in every norm."""
        if not len(rows) or math.isinf(ALLOWED[self.effort]):
            return len(rows)
        assert isinstance(self.ladder, Ladder)
        prices = [
            self.ladder.price(rows[:1], standing.norm, torch.full((1,), standing.eps, dtype=torch.float64))
            for standing in self.standings
        ]
        each = STEPS[self.effort] * max(prices) * len(self.norms)
        return Allowance(_SEARCHES * ALLOWED[self.effort]).affords(each, len(rows))

    def _beyond(self, norm: Norm, rows: Tensor, errors: Mapping[Norm, Tensor]) -> Tensor:
        """Radii not worth passing, (N,): where errors are, else a little past the first-order radius."""
        assert isinstance(self.ladder, Ladder)
        upper = torch.zeros(len(self.standings[0].wrong), dtype=torch.float64)
        upper[rows] = _BEYOND * first_order_radius(self.ladder, rows, norm)
        upper = torch.minimum(upper, errors.get(norm, torch.full_like(upper, torch.inf)))
        for standing in self.standings:
            if standing.norm == norm:
                upper = torch.where(standing.broken, upper.clamp_max(standing.eps), upper)
        return upper

    def radius(self, norm: Norm) -> Tensor:
        """The largest radius proved for each sample, shape (N,), in any way and in any norm."""
        best = torch.zeros(len(self.standings[0].wrong), dtype=torch.float64)
        for other in self.norms:
            best = torch.maximum(best, convert(self._own(other), other, norm, self.features))
        return torch.where(self.standings[0].wrong, 0.0, best)

    def _own(self, norm: Norm) -> Tensor:
        known = [self._found[norm]] if norm in self._found else []
        own = [standing for standing in self.standings if standing.norm == norm]
        known += [torch.where(standing.certified, standing.eps, standing.reach) for standing in own]
        if isinstance(self.lipschitz, LipschitzRadii):
            known.append(self.lipschitz.radius[norm])
        return torch.stack(known).amax(dim=0)
