"""Loss and accuracy under attack, ball by ball, and the distances of the nearest errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import eps_space, summarise
from lipcert.analyses.distances import everywhere, radius_record
from lipcert.attacks import Ball, Field, Hunt, Nearby, Outcome, Plan, Target, find_nearby, plan, score_clean, worst_of
from lipcert.deadline import Deadline
from lipcert.progress import Progress, silent
from lipcert.records import AdversarialRadiusRecord, Effort, Norm, RobustnessRecord, SeedRecord

Proved = Callable[[Norm, float], Tensor]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attacked:
    """One ball: its record, and the worst found for each sample.

    margins  of each stage, the smallest margins it found itself; infinity for samples it was not run on
    by_seed  the worst that the searches with each seed found by themselves
    """

    ball: Ball
    record: RobustnessRecord
    outcome: Outcome
    margins: tuple[Tensor, ...] = ()
    by_seed: Mapping[int, Outcome] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Robustness:
    """The clean samples by the scorer, and each ball in the order of the radii asked for, norm by norm.

    radii   the nearest errors of each norm, summarised
    nearby  norm -> those errors, sample by sample
    """

    clean: Outcome
    attacked: tuple[Attacked, ...]
    radii: tuple[AdversarialRadiusRecord, ...] = ()
    nearby: Mapping[Norm, Nearby] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Norm:
    """One norm: its plan, its hunts by growing radius, what its searches for near errors spent and left undone."""

    plan: Plan
    hunts: tuple[Hunt, ...]
    near: Nearby
    spent: tuple[int, int] = (0, 0)
    unfinished: tuple[str, ...] = ()


def analyze_robustness(
    target: Target,
    eps: Mapping[Norm, Sequence[float]],
    *,
    input_range: tuple[float, float] | None = None,
    effort: Effort = "default",
    seed: int = 0,
    seeds: int = 1,
    batch_size: int = 256,
    progress: Progress = silent,
    deadline: Deadline | None = None,
    proved: Proved | None = None,
    blind: bool = False,
) -> Robustness:
    """Search the nearest errors in each norm, then run the cascade of `effort` in every ball.

    What is found in a ball counts in every larger one of its norm, so loss and accuracy are monotone in eps. Stages
    are the outer loop and balls the inner one: when time is up, every ball has had about the same share.

    proved  samples certified in a ball, shape (N,): only the search for a large loss visits them
    blind   the gradients of `classify` are no guide to what the scorer says: the search without them is run in full
    """
    clean = score_clean(target, batch_size=batch_size)
    ground = Field.of(target, clean, batch_size=batch_size, deadline=deadline or Deadline(), blind=blind)
    plans = {norm: plan(effort, norm, classes=_classes(target), blind=blind) for norm in eps}
    watch = _Watch(progress, len(target.clean), _runs(plans, eps, seeds))
    norms = []
    for norm, levels in eps.items():
        balls = [Ball(norm=norm, eps=level, input_range=input_range) for level in sorted(levels)]
        norms.append(_look_around(ground, plans[norm], balls, proved, watch, seed))
    _run_stages(norms, range(seed, seed + seeds), watch)
    return _gather(clean, [_settle(ground, each) for each in norms], seed)


def _gather(clean: Outcome, norms: Sequence[_Norm], seed: int) -> Robustness:
    return Robustness(
        clean=clean,
        attacked=tuple(_attacked(hunt) for each in norms for hunt in each.hunts),
        radii=tuple(radius_record(each.near, each.plan.near, each.spent, each.unfinished, seed=seed) for each in norms),
        nearby={each.near.ball.norm: each.near for each in norms},
    )


def _classes(target: Target) -> int:
    return int(target.scorer(target.clean[:1]).shape[1])


def _runs(plans: Mapping[Norm, Plan], eps: Mapping[Norm, Sequence[float]], seeds: int) -> int:
    return sum(
        len(plans[norm].near) + len(levels) * sum(seeds if stage.seeds else 1 for stage in plans[norm].stages)
        for norm, levels in eps.items()
    )


def _look_around(  # noqa: PLR0917  what all of it rests on
    ground: Field, chosen: Plan, balls: Sequence[Ball], proved: Proved | None, watch: _Watch, seed: int
) -> _Norm:
    """The searches for near errors in one norm, and its hunts, not yet begun."""
    clean, before = ground.clean, ground.spent
    near, unfinished = find_nearby(
        ground.target,
        chosen.near,
        Nearby.nothing(everywhere(balls[0], ground.target.clean), clean),
        seed=seed,
        batch_size=ground.batch_size,
        deadline=ground.deadline,
        finished=watch.at,
    )
    watch.next(len(chosen.near))
    nothing = torch.zeros_like(clean.broken)
    hunts = tuple(
        Hunt(ground, ball, nothing if proved is None else proved(ball.norm, ball.eps).to(nothing.device))
        for ball in balls
    )
    spent = (ground.spent[0] - before[0], ground.spent[1] - before[1])
    return _Norm(plan=chosen, hunts=hunts, near=near, spent=spent, unfinished=unfinished)


def _run_stages(norms: Sequence[_Norm], seeds: range, watch: _Watch) -> None:
    """Every stage in every ball, with every seed it is worth."""
    for each in norms:
        for hunt in each.hunts:
            hunt.absorb(each.near.within(hunt.ball.eps, hunt.field.clean), tuple(seeds))
    for at in seeds:
        for number in range(max((len(each.plan.stages) for each in norms), default=0)):
            for each in norms:
                _run_stage(each, number, at, seeds[0], watch)


def _run_stage(each: _Norm, number: int, at: int, first: int, watch: _Watch) -> None:
    """One stage with one seed in every ball of a norm, the smallest first.

    A check starts with the largest ball, and ends there if it breaks nothing.
    """
    if number >= len(each.plan.stages):
        return
    stage = each.plan.stages[number]
    if at != first and not stage.seeds:
        return
    for smaller, larger in zip(each.hunts, each.hunts[1:], strict=False):
        larger.inherit(smaller)
    order = each.hunts
    if stage.aim == "check" and not each.hunts[-1].field.blind:
        order = (each.hunts[-1], *each.hunts[:-1])
    inner: Hunt | None = None
    for hunt in order:
        if inner is not None and inner.ball.eps < hunt.ball.eps:
            hunt.inherit(inner)
        record = hunt.run(stage, each.near, seed=at, part=each.plan.part, finished=watch.at)
        watch.next()
        inner = hunt
        clear = record is not None and record.complete and record.broken == 0
        if stage.aim == "check" and not hunt.field.blind and clear:
            watch.next(len(each.hunts) - 1)
            return


def _settle(ground: Field, each: _Norm) -> _Norm:
    """With the errors met in the balls among the near ones, and those within a ball among its own."""
    near = each.near
    for hunt in each.hunts:
        near = near.with_errors(ground.target, hunt.worst, batch_size=ground.batch_size, deadline=ground.deadline)
    for inner, hunt in zip(each.hunts, each.hunts[1:], strict=False):
        hunt.inherit(inner)
    for hunt in each.hunts:
        hunt.worst = worst_of([hunt.worst, near.within(hunt.ball.eps, ground.clean)])
    return _Norm(plan=each.plan, hunts=each.hunts, near=near, spent=each.spent, unfinished=each.unfinished)


def _attacked(hunt: Hunt) -> Attacked:
    worst, clean, input_range = hunt.worst, hunt.field.clean, hunt.ball.input_range
    record = RobustnessRecord(
        norm=hunt.ball.norm,
        eps=hunt.ball.eps,
        eps_space=eps_space(input_range),
        clipped=input_range is not None,
        samples=len(worst.margin),
        clean_loss=clean.mean_loss,
        clean_accuracy=clean.accuracy,
        attacks=tuple(hunt.records),
        robust_loss=worst.mean_loss,
        robust_accuracy=worst.accuracy,
        robust_margin=summarise(worst.margin) if len(worst.margin) else None,
        proved=int(hunt.proved.sum()),
        seeds=_seed_records(hunt),
        unseen=_unseen(hunt),
        gradients=sum(record.gradients for record in hunt.records),
        forwards=sum(record.forwards for record in hunt.records),
        unfinished=tuple(hunt.unfinished),
    )
    return Attacked(ball=hunt.ball, record=record, outcome=worst, margins=tuple(hunt.margins), by_seed=hunt.by_seed)


def _seed_records(hunt: Hunt) -> tuple[SeedRecord, ...]:
    if len(hunt.by_seed) < 2:
        return ()
    return tuple(
        SeedRecord(seed=seed, robust_loss=found.mean_loss, robust_accuracy=found.accuracy)
        for seed, found in hunt.by_seed.items()
    )


def _unseen(hunt: Hunt) -> float | None:
    """Samples that further seeds might still break: how often they were broken by one or by two of m > 2 seeds.

    No more than are left: neither broken nor proved.

    Source: Chao, Biometrics 43 (1987), in the form corrected for bias, which also serves where none fell twice.
    """
    seeds = len(hunt.by_seed)
    if seeds <= 2:
        return None
    times = torch.stack([found.broken for found in hunt.by_seed.values()]).sum(dim=0)
    once, twice = int((times == 1).sum()), int((times == 2).sum())
    left = int((~hunt.worst.broken & ~hunt.proved).sum())
    return min(float(left), (seeds - 1) / seeds * once * (once - 1) / (2 * (twice + 1)))


@final
class _Watch:
    """Progress over runs of equal length."""

    def __init__(self, progress: Progress, samples: int, runs: int) -> None:
        self._progress, self._samples, self._total, self._done = progress, samples, samples * runs, 0
        progress("robustness", 0, self._total)

    def at(self, samples: int) -> None:
        self._progress("robustness", min(self._done + samples, self._total), self._total)

    def next(self, runs: int = 1) -> None:
        self._done += runs * self._samples
        self._progress("robustness", self._done, self._total)
