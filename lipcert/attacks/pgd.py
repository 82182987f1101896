"""Projected gradient ascent on the cross-entropy or the margin, from several starts."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from lipcert.attacks.base import (
    ATTACKS,
    AbstractAttack,
    Ball,
    Classifier,
    Noise,
    Objective,
    OutOfTimeError,
    Worst,
    logits_and_gradient,
)
from lipcert.graph.scores import error_log_odds, margins


@ATTACKS.register("pgd")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pgd(AbstractAttack):
    """x <- project(x + step * v), v the steepest direction of the loss at x; the worst iterate counts.

    loss        "ce" the cross-entropy (climbed through its log-odds, which do not saturate); "margin" the best other
                logit less the true one; "targeted" likewise for one other class: the likeliest at the first start,
                the next likely at the second, ...
    restarts    the first start is the clean sample, the others are uniform in the ball
    first_step  as a share of eps; steps shrink along half a cosine to zero
    exhaustive  keep climbing on samples already misclassified, for the largest loss; otherwise they leave

    Source: Madry et al., arXiv 1706.06083; the targets as in Croce & Hein, arXiv 2003.01690.
    """

    loss: Literal["ce", "margin", "targeted"] = "ce"
    steps: int = 20
    restarts: int = 1
    first_step: float = 1.0
    exhaustive: bool = False

    def __post_init__(self) -> None:
        if self.loss not in ("ce", "margin", "targeted"):
            raise ValueError(f"loss must be ce, margin or targeted, got {self.loss!r}")
        if self.steps < 1 or self.restarts < 1 or not self.first_step > 0:
            raise ValueError(f"steps, restarts and first_step must be positive, got {self}")

    @property
    def name(self) -> str:
        """pgd-ce, pgd-margin, pgd-targeted."""
        return f"pgd-{self.loss}"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """Two candidates a sample: the smallest margin and the largest cross-entropy over all starts and iterates."""
        worst = Worst(clean, labels)
        with contextlib.suppress(OutOfTimeError):
            self._search(worst, classify, clean, labels, ball, noise)
        return worst.points()

    def _search(  # noqa: PLR0917  the batch, as `perturb` has it
        self, worst: Worst, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise
    ) -> None:
        with torch.no_grad():
            logits = classify(clean)
        rows = torch.arange(len(clean), device=clean.device)
        worst.update(rows, clean, logits)
        rivals = logits.scatter(1, labels[:, None], -torch.inf).argsort(dim=1, descending=True, stable=True)
        for restart in range(self.restarts):
            rows = self._alive(worst, rows)
            if len(rows) == 0:
                break
            start = ball.sample(clean[rows], noise.rows(rows), restart) if restart else clean[rows]
            rival = rivals[:, restart % (logits.shape[1] - 1)]
            self._climb(start, rows, worst, classify=classify, problem=(clean, labels, rival), ball=ball)

    def _climb(
        self,
        points: Tensor,
        rows: Tensor,
        worst: Worst,
        *,
        classify: Classifier,
        problem: tuple[Tensor, Tensor, Tensor],
        ball: Ball,
    ) -> None:
        clean, labels, rival = problem
        for step in range(self.steps):
            logits, gradient = logits_and_gradient(classify, self._objective(labels[rows], rival[rows]), points)
            worst.update(rows, points, logits)
            length = ball.eps * self.first_step * (1 + math.cos(math.pi * step / self.steps)) / 2
            points = ball.project(points + length * _direction(ball, gradient, clean[rows]), clean[rows])
            alive = self._alive(worst, rows)
            if len(alive) < len(rows):
                points, rows = points[torch.isin(rows, alive)], alive
            if len(rows) == 0:
                return
        with torch.no_grad():
            worst.update(rows, points, classify(points))

    def _alive(self, worst: Worst, rows: Tensor) -> Tensor:
        return rows if self.exhaustive else worst.standing(rows)

    def _objective(self, labels: Tensor, rival: Tensor) -> Objective:
        if self.loss == "ce":
            return lambda logits: error_log_odds(logits, labels)
        if self.loss == "margin":
            return lambda logits: -margins(logits, labels)
        return lambda logits: logits.gather(1, rival[:, None])[:, 0] - logits.gather(1, labels[:, None])[:, 0]


def _direction(ball: Ball, gradient: Tensor, clean: Tensor) -> Tensor:
    """Steepest ascent; in l1 towards the furthest point, as single coordinates soon leave the box."""
    if ball.norm != "l1" or ball.eps == 0:
        return ball.steepest(gradient)
    return (ball.furthest(gradient, clean) - clean) / ball.eps
