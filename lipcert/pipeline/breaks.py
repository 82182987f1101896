"""Errors that branch and bound met on its way, taken in among those of the attacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.certificates import Breaks
from lipcert.analyses.distances import radius_record
from lipcert.analyses.robustness import Attacked, Robustness
from lipcert.attacks import Outcome, Target, worst_of
from lipcert.attacks.engine import merge
from lipcert.attacks.nearby import Nearby
from lipcert.deadline import Deadline
from lipcert.records import AdversarialRadiusRecord, AttackRecord, Norm

NAME = "branch-and-bound"
_BATCH = 256


def with_breaks(
    robustness: Robustness,
    breaks: Mapping[tuple[Norm, float], Breaks],
    target: Target,
    *,
    seed: int,
    deadline: Deadline,
) -> Robustness:
    """What attacks found, and what branch and bound did: in its ball, in larger ones, and among the nearest errors.

    Each of its points was judged like an attack's, inside the ball and by the file's own runtime, so robust accuracy
    stays an upper bound and robust loss a lower one.
    """
    nearby = dict(robustness.nearby)
    for (norm, _), found in breaks.items():
        if found.parts:
            nearby[norm] = _nearer(nearby[norm], merge(robustness.clean, found.parts), target, deadline)
    changed = {norm for (norm, _), found in breaks.items() if found.parts}
    return replace(
        robustness,
        attacked=tuple(
            _attacked(one, robustness.clean, nearby[one.ball.norm], breaks) if one.ball.norm in changed else one
            for one in robustness.attacked
        ),
        radii=tuple(
            _radii(record, nearby[record.norm], seed) if record.norm in changed else record
            for record in robustness.radii
        ),
        nearby=nearby,
    )


def _nearer(near: Nearby, outcome: Outcome, target: Target, deadline: Deadline) -> Nearby:
    """With the errors of `outcome`, shortened as far as time allows."""
    near = near.with_errors(target, outcome, batch_size=_BATCH, deadline=deadline)
    rows = (outcome.broken & (near.distance > 0)).nonzero()[:, 0]
    return near.nearer(rows, outcome.of(rows), target)


def _attacked(one: Attacked, clean: Outcome, near: Nearby, breaks: Mapping[tuple[Norm, float], Breaks]) -> Attacked:
    """One ball with what is within it."""
    own = [found for (norm, eps), found in breaks.items() if norm == one.ball.norm and eps <= one.ball.eps]
    points = [merge(clean, found.parts) for found in own]
    outcome = worst_of([one.outcome, *points, near.within(one.ball.eps, clean)])
    new = outcome.broken & ~one.outcome.broken
    if not new.any():
        return one
    here = breaks.get((one.ball.norm, one.ball.eps))
    judged = 0 if here is None else here.judged
    record = AttackRecord(
        attack=NAME,
        robust_loss=outcome.mean_loss,
        robust_accuracy=outcome.accuracy,
        searched=0 if here is None else here.tried,
        broken=int(new.sum()),
        forwards=judged,
    )
    return replace(
        one,
        outcome=outcome,
        margins=(*one.margins, _only(new, outcome.margin)),
        record=replace(
            one.record,
            attacks=(*one.record.attacks, record),
            robust_loss=outcome.mean_loss,
            robust_accuracy=outcome.accuracy,
            robust_margin=summarise(outcome.margin),
            forwards=one.record.forwards + judged,
        ),
    )


def _only(mask: Tensor, margin: Tensor) -> Tensor:
    return torch.where(mask, margin, torch.inf)


def _radii(record: AdversarialRadiusRecord, near: Nearby, seed: int) -> AdversarialRadiusRecord:
    again = radius_record(near, (), (record.gradients, record.forwards), record.unfinished, seed=seed)
    return replace(again, attacks=(*record.attacks, NAME))
