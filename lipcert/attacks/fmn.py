"""A search for the nearest error in any norm, by a ball that shrinks on success and grows on failure."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import (
    ATTACKS,
    AbstractAttack,
    Ball,
    Classifier,
    Nearest,
    Noise,
    OutOfTimeError,
    logits_gradient_loss,
)
from lipcert.attacks.losses import Loss, first_order_distance, objective, rivals_in_turn

_LAST = 0.01


@ATTACKS.register("fmn")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fmn(AbstractAttack):
    """Step along the gradient, then project on a ball of the present radius.

    Until a first error is met the radius is what first order asks for; then it shrinks a little below the nearest
    error after each success and grows after each failure, ever more gently. A step is as long as the radius at first
    and shrinks along half a cosine to a hundredth of it: along the sign in linf, along the gradient in l1 and l2.

    loss    what is climbed; targeted losses are climbed for `rivals` classes one after the other
    steps   gradients for each of them
    factor  share by which the radius changes in the first step; it falls along half a cosine too

    Source: Pintor et al., arXiv 2102.12827; there steps are of fixed l2 length in every norm.
    """

    loss: Loss = "margin"
    steps: int = 100
    rivals: int = 1
    factor: float = 0.05

    def __post_init__(self) -> None:
        if self.steps < 1 or self.rivals < 1 or not 0 < self.factor < 1:
            raise ValueError(f"steps and rivals must be 1 or more and factor between 0 and 1, got {self}")

    @property
    def name(self) -> str:
        """fmn-margin, fmn-ce, ..."""
        return f"fmn-{self.loss}"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:  # noqa: ARG002  nothing is drawn
        """One candidate a sample: the nearest misclassified point met, else the clean one."""
        nearest = Nearest(clean, labels, ball)
        with contextlib.suppress(OutOfTimeError):
            for rivals in rivals_in_turn(self.loss, self.rivals, classify, clean, labels, ball):
                self._search(nearest, classify, clean, labels, rivals, ball)
        return nearest.points[None]

    def _search(  # noqa: PLR0917  the batch, as `perturb` has it
        self, nearest: Nearest, classify: Classifier, clean: Tensor, labels: Tensor, rivals: Tensor, ball: Ball
    ) -> None:
        rows, points, climbed = (
            torch.arange(len(clean), device=clean.device),
            clean,
            objective(self.loss, labels, rivals),
        )
        radius = torch.full((len(clean),), torch.inf, dtype=torch.float64, device=clean.device)
        for step in range(self.steps):
            logits, gradient, _ = logits_gradient_loss(classify, climbed, points)
            wrong = nearest.update(rows, points, logits)
            pace = (1 + math.cos(math.pi * step / self.steps)) / 2
            ahead = ball.distance(points, clean) + first_order_distance(logits, gradient, labels, ball)
            known = nearest.distance.isfinite()
            shrunk = torch.minimum(radius, nearest.distance) * (1 - self.factor * pace)
            grown = torch.where(known, torch.minimum(radius * (1 + self.factor * pace), nearest.distance), ahead)
            radius = torch.where(wrong, shrunk, grown).clamp_max(ball.eps)
            length = radius * (_LAST + (1 - _LAST) * pace)
            points = ball.project(points + _column(length, points) * _direction(ball, gradient), clean, radius)
        with torch.no_grad():
            nearest.update(rows, points, classify(points))


def _direction(ball: Ball, gradient: Tensor) -> Tensor:
    """Steepest in linf; along the gradient in l1 and l2, of l2 norm 1."""
    return (ball if ball.norm == "linf" else Ball(norm="l2", eps=1.0)).steepest(gradient)


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
