"""What a check of the attacks looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.attacks import AbstractAttack, Ball, Classifier, Outcome, Target, run_attack
from lipcert.attacks.base import logits_and_gradient
from lipcert.deadline import Deadline
from lipcert.graph.scores import error_log_odds, margins
from lipcert.records import RobustnessRecord
from lipcert.records.evaluation import CheckStatus
from lipcert.registry import Registry

SUBSAMPLE = 32


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Searched:
    """One ball, what the attacks reported there, the worst they found, and which samples were certified beforehand.

    certified  shape (N,), bool; None where there are no certificates
    """

    ball: Ball
    record: RobustnessRecord
    outcome: Outcome
    certified: Tensor | None = None

    @property
    def name(self) -> str:
        """The ball in words: "linf 0.1"."""
        return f"{self.ball.norm} {self.ball.eps:.4g}"


@final
@dataclass(eq=False, kw_only=True)
class Evidence:
    """What the checks look at.

    target      what was attacked
    clean       the outcome of no attack
    searched    every ball, in order
    double      the classifier for float64 points, as differentiable as `target.classify`
    blind       the file cannot be differentiated: it was searched by its logits, and by transfer
    deadline    when to leave out the checks that are still to come
    """

    target: Target
    clean: Outcome
    searched: tuple[Searched, ...]
    double: Classifier
    input_range: tuple[float, float] | None = None
    seed: int = 0
    blind: bool = False
    deadline: Deadline = field(default_factory=Deadline)

    @property
    def widest(self) -> tuple[Searched, ...]:
        """The largest ball of each norm."""
        best = {entry.ball.norm: entry for entry in sorted(self.searched, key=lambda entry: entry.ball.eps)}
        return tuple(best.values())

    @cached_property
    def rows(self) -> Tensor:
        """At most 32 samples that are classified rightly, spread over the data."""
        return self.some((~self.clean.broken).nonzero()[:, 0])

    @cached_property
    def points(self) -> Tensor:
        """Those samples."""
        return self.target.clean[self.rows]

    @cached_property
    def labels(self) -> Tensor:
        """Their labels."""
        return self.target.labels[self.rows]

    @cached_property
    def spread(self) -> float:
        """Width of the input range, or of the data where none is declared."""
        low, high = self.input_range or (float(self.target.clean.min()), float(self.target.clean.max()))
        return max(high - low, torch.finfo(torch.float32).tiny)

    @cached_property
    def gradients(self) -> dict[str, Tensor]:
        """Gradients of both losses that the attacks climb, at `points`, flat."""
        losses = {"ce": lambda z: error_log_odds(z, self.labels), "margin": lambda z: -margins(z, self.labels)}
        found = {n: logits_and_gradient(self.target.classify, f, self.points)[1] for n, f in losses.items()}
        return {name: gradient.flatten(1) for name, gradient in found.items()}

    @staticmethod
    def some(rows: Tensor, most: int = SUBSAMPLE) -> Tensor:
        """At most so many of `rows`, evenly spread."""
        if len(rows) <= most:
            return rows
        return rows[torch.linspace(0, len(rows) - 1, most, device=rows.device).round().to(torch.int64)]

    def robust(self, entry: Searched) -> Tensor:
        """At most 32 samples that no attack broke in a ball."""
        return self.some((~entry.outcome.broken).nonzero()[:, 0])

    def attack(
        self, attack: AbstractAttack, ball: Ball, rows: Tensor, *, classify: Classifier | None = None, seed: int = 0
    ) -> Outcome:
        """What one more attack finds for the samples `rows`, with gradients from `classify` where it is given."""
        inputs, labels = self.target.clean[rows], self.target.labels[rows]
        target = replace(self.target, clean=inputs, labels=labels, classify=classify or self.target.classify)
        found = tuple(self.clean.found[row] for row in rows.tolist())
        clean = Outcome(inputs=inputs, margin=self.clean.margin[rows], loss=self.clean.loss[rows], found=found)
        return run_attack(target, attack, ball, clean, seed=self.seed + seed)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check measured and how it judges it."""

    status: CheckStatus
    message: str
    value: float | None = None
    threshold: float | None = None
    samples: int = 0


def graded(value: float, message: str, *, warn: float, fail: float, samples: int) -> Finding:
    """Pass up to `warn`, warn up to `fail`, fail above it."""
    status: CheckStatus = "pass" if value <= warn else "warn" if value <= fail else "fail"
    return Finding(status=status, message=message, value=value, threshold=warn, samples=samples)


def not_applicable(why: str) -> Finding:
    """There is nothing to look at."""
    return Finding(status="skipped", message=why)


OfModel = Callable[[Evidence], Finding]
OfBall = Callable[[Evidence, Searched], Finding]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Check:
    """A check of the model, or of each norm's largest ball; what to do where it does not pass, and its source."""

    of_model: OfModel | None = None
    of_ball: OfBall | None = None
    hint: str
    reference: str


CHECKS: Registry[Check] = Registry("check of the attacks")


def of_model(name: str, *, hint: str, reference: str) -> Callable[[OfModel], OfModel]:
    """File a check of the model."""

    def file(run: OfModel) -> OfModel:
        CHECKS.register(name)(Check(of_model=run, hint=hint, reference=reference))
        return run

    return file


def of_ball(name: str, *, hint: str, reference: str) -> Callable[[OfBall], OfBall]:
    """File a check of a ball."""

    def file(run: OfBall) -> OfBall:
        CHECKS.register(name)(Check(of_ball=run, hint=hint, reference=reference))
        return run

    return file
