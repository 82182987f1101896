"""A search for the nearest error in l2, by a radius that shrinks on success and grows on failure."""

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


@ATTACKS.register("ddn")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ddn(AbstractAttack):
    """Step along the gradient, then go to the sphere of the present radius: direction and norm are decoupled.

    The radius starts at the distance of the boundary to first order. Steps are as long as the radius at first and
    shrink along half a cosine to a hundredth of it. In a ball of another norm the same search in l2 is made.

    loss    what is climbed; targeted losses are climbed for `rivals` classes one after the other
    steps   gradients for each of them
    factor  share by which the radius changes in a step

    Source: Rony et al., arXiv 1811.09600; there radius and step start at fixed values.
    """

    loss: Loss = "ce"
    steps: int = 100
    rivals: int = 1
    factor: float = 0.05

    def __post_init__(self) -> None:
        if self.steps < 1 or self.rivals < 1 or not 0 < self.factor < 1:
            raise ValueError(f"steps and rivals must be 1 or more and factor between 0 and 1, got {self}")

    @property
    def name(self) -> str:
        """ddn-ce, ddn-margin, ..."""
        return f"ddn-{self.loss}"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:  # noqa: ARG002  nothing is drawn
        """One candidate a sample: the nearest misclassified point met in the ball, else the clean one."""
        nearest = Nearest(clean, labels, ball)
        with contextlib.suppress(OutOfTimeError):
            for rivals in rivals_in_turn(self.loss, self.rivals, classify, clean, labels, ball):
                self._search(nearest, classify, clean, labels, rivals, ball)
        return nearest.points[None]

    def _search(  # noqa: PLR0917  the batch, as `perturb` has it
        self, nearest: Nearest, classify: Classifier, clean: Tensor, labels: Tensor, rivals: Tensor, ball: Ball
    ) -> None:
        sphere = Ball(norm="l2", eps=ball.eps * _widest(ball, clean), input_range=ball.input_range)
        rows, points, climbed = torch.arange(len(clean)), clean, objective(self.loss, labels, rivals)
        rows, radius = rows.to(clean.device), torch.full((len(clean),), torch.nan, dtype=torch.float64)
        radius = radius.to(clean.device)
        for step in range(self.steps):
            logits, gradient, _ = logits_gradient_loss(classify, climbed, points)
            wrong = nearest.update(rows, points, logits)
            if step == 0:
                radius = first_order_distance(logits, gradient, labels, sphere)
            else:
                radius = radius * torch.where(wrong, 1 - self.factor, 1 + self.factor)
            radius = radius.clamp_max(sphere.eps)
            length = radius * (_LAST + (1 - _LAST) * (1 + math.cos(math.pi * step / self.steps)) / 2)
            moved = points + _column(length, points) * sphere.steepest(gradient)
            delta = moved - clean
            size = torch.linalg.vector_norm(delta.flatten(1).to(torch.float64), dim=1).clamp_min(1e-30)
            points = sphere.project(clean + delta * _column(radius / size, delta), clean, radius)
        with torch.no_grad():
            nearest.update(rows, points, classify(points))


def _widest(ball: Ball, clean: Tensor) -> float:
    """The l2 radius of the smallest l2 ball around a ball of radius 1."""
    return math.sqrt(clean[0].numel()) if ball.norm == "linf" and len(clean) else 1.0


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
