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
from lipcert.attacks.losses import LOSSES, Loss, objective, rivals_in_turn

_TOGETHER = 64
"""Rows that are worth a pass of their own: as many starts are made at once as keep to it."""

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
    """A batch under attack, and what has been found.

    sample  which sample each row starts from: once one of its rows is misclassified, all of them are done
    """

    classify: Classifier
    clean: Tensor
    labels: Tensor
    ball: Ball
    worst: Worst
    sample: Tensor

    def standing(self, rows: Tensor) -> Tensor:
        """Which of `rows` belong to samples that are not yet misclassified."""
        every = torch.arange(len(self.sample), device=self.sample.device)
        alive = torch.zeros_like(every, dtype=torch.bool)
        alive[self.worst.standing(every)] = True
        broken = torch.zeros(int(self.sample.max()) + 1, dtype=torch.bool, device=every.device)
        broken[self.sample[~alive]] = True
        return ~broken[self.sample[rows]]


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
    skip        starts a rival that another run has made with the same seed: those after them are made

    Source: Croce & Hein, arXiv 2003.01690 (l2, linf), arXiv 2103.01208 (l1).
    """

    loss: Loss = "ce"
    steps: int = 100
    restarts: int = 1
    rivals: int = 1
    random_start: bool = True
    exhaustive: bool = False
    skip: int = 0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {self.loss!r}")
        if min(self.steps, self.restarts, self.rivals) < 1 or self.skip < 0:
            raise ValueError(f"steps, restarts and rivals must be 1 or more and skip 0 or more, got {self}")

    @property
    def name(self) -> str:
        """apgd-ce, apgd-margin, ..."""
        return f"apgd-{self.loss}"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """Two candidates a sample: the smallest margin and the largest cross-entropy over all starts and iterates."""
        rows = torch.arange(len(clean), device=clean.device)
        worst = Worst(clean, labels)
        task = Task(classify=classify, clean=clean, labels=labels, ball=ball, worst=worst, sample=rows)
        with contextlib.suppress(OutOfTimeError):
            turns = list(self._turns(task))
            draw = self.skip * (len(turns) // self.restarts)
            while turns and len(rows):
                together = max(1, _TOGETHER // len(rows))
                self._run(task, rows, torch.stack([rivals[rows] for rivals in turns[:together]]), noise, draw)
                turns, draw = turns[together:], draw + together
                rows = rows if self.exhaustive else worst.standing(rows)
        return worst.points()

    def _turns(self, task: Task) -> Iterator[Tensor]:
        """The rival classes of each start."""
        rivals = rivals_in_turn(self.loss, self.rivals, task.classify, task.clean, task.labels, task.ball)
        for _ in range(self.restarts):
            yield from rivals

    def _run(self, task: Task, rows: Tensor, rivals: Tensor, noise: Noise, draw: int) -> None:
        """Several starts of the samples `rows` side by side, one for each row of `rivals`."""
        each, own, balls = rows.repeat(len(rivals)), noise.rows(rows), _balls(task.ball, self.steps)
        clean, labels = task.clean[each], task.labels[each]
        side = replace(task, clean=clean, labels=labels, worst=Worst(clean, labels), sample=each)
        starts = [
            balls[0][0].sample(task.clean[rows], own, number) if number or self.random_start else task.clean[rows]
            for number in range(draw, draw + len(rivals))
        ]
        points = torch.cat(starts)
        try:
            for ball, steps in balls:
                ascent = Ascent.start(torch.arange(len(each), device=each.device), clean, ball.project(points, clean))
                self._climb(side, ascent, rivals.flatten(), ball, steps)
                points = ascent.best
        finally:
            task.worst.merge(rows, side.worst)

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
        return torch.ones_like(rows, dtype=torch.bool) if self.exhaustive else task.standing(rows)


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
