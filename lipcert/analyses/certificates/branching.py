"""Branch and bound on the samples that one bound of their whole region leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.certificates.ladder import Ladder
from lipcert.analyses.certificates.standing import Standing
from lipcert.attacks import Ball, Outcome, Target
from lipcert.attacks.engine import judge
from lipcert.bounds.branch import CERTIFIED, FALSIFIED, Goals, margin_goals, prove
from lipcert.deadline import Deadline

METHOD = "branch and bound"
_BATCHES = 40


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Breaks:
    """The samples that a search by branch and bound in one ball broke, by the judge's word.

    tried   samples it was run on
    judged  points the judge was asked about
    parts   sample, alone in its tensor, and where it errs inside the ball: the worst point met
    """

    tried: int
    judged: int
    parts: tuple[tuple[Tensor, Outcome], ...]


def branch(ladder: Ladder, standing: Standing, rows: Tensor, target: Target, deadline: Deadline) -> Breaks:
    """Cut the regions of some samples until each is proved or broken, or time is up.

    target  who judges the points where a bound is attained: only what errs there counts as broken. Without a deadline
            a fixed number of steps is made, so that the outcome does not depend on the machine.
    """
    batch = ladder.batch_of(rows, standing.norm, torch.full((len(rows),), standing.eps, dtype=torch.float64))
    with torch.no_grad():
        refined = ladder.bounder.refine(batch.region)
        margins = ladder.bounder.margins(batch.region, batch.labels, refined)
    every = margin_goals(batch.labels, margins.shape[1])
    # A margin that is no number proves nothing, so its goal stays.
    goals = _some(every, ~(_others(margins, batch.labels).flatten().cpu() > 0))
    witness = _Witness(target, Ball(norm=standing.norm, eps=standing.eps, input_range=ladder.input_range), rows, goals)
    found = prove(ladder.bounder, batch.region, goals, witness, expired=_expiry(deadline), intervals=refined)
    standing.tried[METHOD] += len(rows)
    open_goals = torch.bincount(goals.region[found.status != CERTIFIED], minlength=len(rows))
    standing.certify(rows[open_goals == 0], METHOD)
    broken = torch.zeros_like(standing.broken)
    broken[rows[goals.region[found.status == FALSIFIED].unique()]] = True
    standing.falsify(broken, [METHOD] * len(broken))
    return Breaks(tried=len(rows), judged=witness.judged, parts=tuple(witness.worst.values()))


def _others(margins: Tensor, labels: Tensor) -> Tensor:
    """The margins over every class but the label's, in order, shape (N, classes - 1)."""
    classes = margins.shape[1]
    other = torch.arange(classes, device=labels.device) != labels[:, None]
    return margins[other].reshape(-1, classes - 1)


def _some(goals: Goals, mask: Tensor) -> Goals:
    return Goals(region=goals.region[mask], group=goals.group[mask], rows=goals.rows[mask], offset=goals.offset[mask])


def _expiry(deadline: Deadline) -> Callable[[], bool]:
    """Whether to stop: at the deadline, or, where there is none, after so many questions."""
    asked = 0

    def expired() -> bool:
        nonlocal asked
        asked += 1
        return deadline.passed or (deadline.left == float("inf") and asked > _BATCHES)

    return expired


@final
class _Witness:
    """Says which points of which goals the network really errs at, and keeps the worst of each sample."""

    def __init__(self, target: Target, ball: Ball, rows: Tensor, goals: Goals) -> None:
        self._target, self._ball, self._rows, self._goals = target, ball, rows, goals
        self._origin = f"{METHOD} in {ball.norm} {ball.eps:g}"
        self.judged = 0
        self.worst: dict[int, tuple[Tensor, Outcome]] = {}

    def __call__(self, points: Tensor, goals: Tensor) -> Tensor:
        """(points (n, *input_shape), goals (n,)) -> (n,)."""
        clean = self._target.clean
        at = self._rows[self._goals.region[goals.cpu()]].to(clean.device)
        points = points.to(device=clean.device, dtype=clean.dtype)
        outcome = judge(self._target, points, clean[at], self._target.labels[at], ball=self._ball, origin=self._origin)
        self.judged += len(points)
        for place in outcome.broken.nonzero():
            sample, found = at[place], outcome.of(place)
            known = self.worst.get(int(sample))
            if known is None or bool(found.margin < known[1].margin):
                self.worst[int(sample)] = (sample, found)
        return outcome.broken.cpu()
