"""The cascade of searches in one ball: who is still to be searched, what was found, what it cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import Ball, Noise, OutOfTimeError
from lipcert.attacks.cascade import Stage
from lipcert.attacks.engine import Outcome, Target, run_attack, worst_of
from lipcert.attacks.meter import Meter
from lipcert.attacks.nearby import Nearby
from lipcert.deadline import Deadline
from lipcert.records import AttackRecord


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """What all hunts of a run share.

    target    with both its callables metered
    meters    those two
    deadline  when to stop
    blind     gradients are no guide; attacks without them ask the scorer, on all samples
    """

    target: Target
    meters: tuple[Meter, Meter]
    clean: Outcome
    batch_size: int
    deadline: Deadline
    blind: bool = False

    @classmethod
    def of(cls, target: Target, clean: Outcome, *, batch_size: int, deadline: Deadline, blind: bool = False) -> Field:
        """With meters around the callables of `target`; what is found is judged even when time is up."""
        classify, scorer = Meter(target.classify, deadline), Meter(target.scorer)
        metered = replace(target, classify=classify, scorer=scorer)
        return cls(
            target=metered,
            meters=(classify, scorer),
            clean=clean,
            batch_size=batch_size,
            deadline=deadline,
            blind=blind,
        )

    def asked(self, points: Tensor) -> Tensor:
        """The scorer, for a search: OutOfTimeError once the deadline has passed."""
        if self.deadline.passed:
            raise OutOfTimeError
        return self.target.scorer(points)

    @property
    def spent(self) -> tuple[int, int]:
        """Gradients and forwards so far."""
        return self.meters[0].gradients, sum(meter.forwards for meter in self.meters)


@final
class Hunt:
    """One ball under search.

    worst    the worst found of each sample so far
    by_seed  seed -> the worst that its own searches found
    margins  of each stage run, the smallest margin it found itself, infinity for samples it was not run on
    records  of the stages run
    proved   samples certified in this ball, shape (N,)
    """

    def __init__(self, field: Field, ball: Ball, proved: Tensor) -> None:
        self.field, self.ball, self.proved = field, ball, proved
        self.worst = field.clean
        self.by_seed: dict[int, Outcome] = {}
        self.margins: list[Tensor] = []
        self.records: list[AttackRecord] = []
        self.unfinished: list[str] = []
        self._paid: set[tuple[str, int]] = set()

    def absorb(self, known: Outcome, seeds: tuple[int, ...]) -> None:
        """Take in what was found elsewhere inside this ball; it counts for each of `seeds`."""
        self.worst = worst_of([self.worst, known])
        for seed in seeds:
            self.by_seed[seed] = worst_of([self.by_seed.get(seed, self.field.clean), known])

    def inherit(self, inner: Hunt) -> None:
        """Take in what was found in a smaller ball."""
        self.worst = worst_of([self.worst, inner.worst])
        for seed, found in inner.by_seed.items():
            self.by_seed[seed] = worst_of([self.by_seed.get(seed, self.field.clean), found])

    def run(
        self, stage: Stage, near: Nearby, *, seed: int, part: int, finished: Callable[[int], None]
    ) -> AttackRecord | None:
        """One stage with one seed, on the samples it is for; None where time was up or it follows a vain one."""
        name = stage.attack.name
        if stage.follows and (name, seed) not in self._paid:
            return None
        if self.field.deadline.passed:
            self.unfinished.append(f"{name}, seed {seed}")
            return None
        before, spent = self.worst, self.field.spent
        known = self.by_seed.get(seed, self.field.clean)
        rows = self._rows(stage, near, known)
        own, mask = self.field.clean, torch.zeros_like(before.broken)
        for group in self._groups(stage, rows, part, seed):
            own = worst_of([own, self._attack(stage, group, seed, finished)])
            mask[group] = True
            if not (own.broken & ~before.broken).any():
                break
        if self.field.deadline.passed:
            self.unfinished.append(f"{name}, seed {seed}")
        if (own.broken & ~known.broken).any():
            self._paid.add((name, seed))
        self.worst = worst_of([self.worst, own])
        for counted in (seed,) if stage.seeds else tuple(self.by_seed):
            self.by_seed[counted] = worst_of([self.by_seed.get(counted, self.field.clean), own])
        self.margins.append(torch.where(mask, own.margin, torch.inf))
        self.records.append(self._record(stage, before, seed=seed, searched=int(mask.sum()), spent=spent))
        return self.records[-1]

    def _attack(self, stage: Stage, rows: Tensor, seed: int, finished: Callable[[int], None]) -> Outcome:
        target = self.field.target
        if self.field.blind and stage.aim == "check":
            target = replace(target, classify=self.field.asked)
        return run_attack(
            target,
            stage.attack,
            self.ball,
            self.field.clean,
            seed=seed,
            batch_size=self.field.batch_size,
            rows=rows,
            deadline=self.field.deadline,
            finished=finished,
        )

    def _rows(self, stage: Stage, near: Nearby, known: Outcome) -> Tensor:
        """Indices of the samples that a stage is for; `known` is what searches with its seed found."""
        if stage.aim == "loss":
            return torch.arange(len(self.proved), device=self.proved.device)
        left = ~known.broken & ~self.proved
        if stage.reach is not None:
            left &= (near.distance <= stage.reach * self.ball.eps) | near.distance.isinf()
        return left.nonzero()[:, 0]

    def _groups(self, stage: Stage, rows: Tensor, part: int, seed: int) -> list[Tensor]:
        """All rows at once; for a check a random part of them first, and then the others."""
        if stage.aim != "check" or len(rows) <= part or self.field.blind:
            return [rows]
        noise = Noise(seed=seed, stage="part", indices=tuple(rows.tolist()))
        lots = noise.uniform(torch.zeros(len(rows), 1), 0)[:, 0].argsort(stable=True).to(rows.device)
        return [rows[lots[:part].sort().values], rows[lots[part:].sort().values]]

    def _record(
        self, stage: Stage, before: Outcome, *, seed: int, searched: int, spent: tuple[int, int]
    ) -> AttackRecord:
        gradients, forwards = self.field.spent
        return AttackRecord(
            attack=stage.attack.name,
            robust_loss=self.worst.mean_loss,
            robust_accuracy=self.worst.accuracy,
            settings=stage.attack.settings,
            seed=seed,
            searched=searched,
            broken=int((self.worst.broken & ~before.broken).sum()),
            gradients=gradients - spent[0],
            forwards=forwards - spent[1],
            complete=not self.field.deadline.passed,
        )
