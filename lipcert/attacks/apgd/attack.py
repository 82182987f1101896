"""Projected gradient ascent that sets its own step size, on one of several losses, from several starts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, final

import torch
from torch import Tensor

from lipcert.attacks.apgd.ascent import Ascent
from lipcert.attacks.apgd.halving import Halving
from lipcert.attacks.apgd.sparse import Sparse
from lipcert.attacks.base import (
    ATTACKS,
    AbstractAttack,
    Ball,
    Classifier,
    Noise,
    OutOfTimeError,
    Worst,
    logits_gradient_loss,
)
from lipcert.attacks.losses import LOSSES, TARGETED, Loss, objective, rank_rivals

_WIDER = ((3.0, 0.3), (2.0, 0.3), (1.0, 0.4))
"""In l1: balls of three and two times the radius come first, each with its share of the steps."""


class Steps(Protocol):
    """How points move, given the gradients met."""

    def begin(self, ascent: Ascent) -> None:
        """Set the first step."""

    def move(self, ascent: Ascent, gradient: Tensor, step: int) -> None:
        """Choose the next points of all samples."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """A batch under attack, and what has been found."""

    classify: Classifier
    clean: Tensor
    labels: Tensor
    ball: Ball
    worst: Worst


@ATTACKS.register("apgd")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Apgd(AbstractAttack):
    """Gradient ascent with momentum whose step is halved where progress ends; in l1, sparse steps in shrinking balls.

    loss        "ce", "margin" and "dlr" against all other classes; "targeted" and "targeted-dlr" towards one at a time
    steps       gradients of each start
    restarts    starts a rival; the very first is the clean sample unless `random_start`, the others are random
    rivals      how many rivals targeted losses try, the nearest by first order before the others
    exhaustive  keep climbing on samples already misclassified, for the largest loss; otherwise they leave

    Source: Croce & Hein, arXiv 2003.01690 (l2, linf), arXiv 2103.01208 (l1).
    """

    loss: Loss = "ce"
    steps: int = 100
    restarts: int = 1
    rivals: int = 1
    random_start: bool = True
    exhaustive: bool = False

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {self.loss!r}")
        if min(self.steps, self.restarts, self.rivals) < 1:
            raise ValueError(f"steps, restarts and rivals must be 1 or more, got {self}")

    @property
    def name(self) -> str:
        """apgd-ce, apgd-margin, ..."""
        return f"apgd-{self.loss}"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """Two candidates a sample: the smallest margin and the largest cross-entropy over all starts and iterates."""
        task = Task(classify=classify, clean=clean, labels=labels, ball=ball, worst=Worst(clean, labels))
        rows = torch.arange(len(clean), device=clean.device)
        with contextlib.suppress(OutOfTimeError):
            for draw, rivals in enumerate(self._turns(task)):
                rows = rows if self.exhaustive else task.worst.standing(rows)
                if len(rows) == 0:
                    break
                self._run(task, rows, rivals[rows], noise, draw)
        return task.worst.points()

    def _turns(self, task: Task) -> Iterator[Tensor]:
        """The rival classes of each start."""
        if self.loss not in TARGETED:
            yield from [task.labels] * self.restarts
            return
        ranked = rank_rivals(task.classify, task.clean, task.labels, task.ball)[:, : self.rivals]
        for _ in range(self.restarts):
            yield from ranked.T

    def _run(self, task: Task, rows: Tensor, rivals: Tensor, noise: Noise, draw: int) -> None:
        """One start of the samples `rows`."""
        balls = _balls(task.ball, self.steps)
        points = clean = task.clean[rows]
        if draw or self.random_start:
            points = balls[0][0].sample(clean, noise.rows(rows), draw)
        for ball, steps in balls:
            ascent = Ascent.start(rows, clean, ball.project(points, clean))
            self._climb(task, ascent, rivals, ball, steps)
            points = ascent.best

    def _climb(self, task: Task, ascent: Ascent, rivals: Tensor, ball: Ball, steps: int) -> None:
        """Go up in `ball`; what is met on the way counts if it is the task's own ball."""
        counts = ball == task.ball
        rule: Steps = Sparse(ball, steps) if ball.norm == "l1" else Halving(ball, steps)
        rule.begin(ascent)
        for step in range(steps):
            climbed = objective(self.loss, task.labels[ascent.rows], rivals)
            logits, gradient, loss = logits_gradient_loss(task.classify, climbed, ascent.points)
            ascent.see(loss, gradient)
            if counts:
                task.worst.update(ascent.rows, ascent.points, logits)
                stays = self._stays(task, ascent.rows)
                if not stays.all():
                    ascent.keep(stays)
                    gradient, rivals = gradient[stays], rivals[stays]
                if len(gradient) == 0:
                    return
            rule.move(ascent, gradient, step)
        if counts:
            with torch.no_grad():
                task.worst.update(ascent.rows, ascent.points, task.classify(ascent.points))

    def _stays(self, task: Task, rows: Tensor) -> Tensor:
        if self.exhaustive:
            return torch.ones_like(rows, dtype=torch.bool)
        return torch.isin(rows, task.worst.standing(rows))


def _balls(ball: Ball, steps: int) -> list[tuple[Ball, int]]:
    """The balls to climb in, one after the other, each with its number of steps."""
    if ball.norm != "l1":
        return [(ball, steps)]
    counts = [int(share * steps) for _, share in _WIDER[:-1]]
    counts.append(steps - sum(counts))
    return [
        (replace(ball, eps=factor * ball.eps), count)
        for (factor, _), count in zip(_WIDER, counts, strict=True)
        if count
    ]
