"""Ascent on the loss less the squared distance: the Lagrangian form of distributional robustness."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import (
    AbstractAttack,
    Ball,
    Classifier,
    Noise,
    OutOfTimeError,
    Worst,
    logits_and_gradient,
)
from lipcert.graph.scores import cross_entropy


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wrm(AbstractAttack):
    """x <- x + a_t (grad loss - 2 gamma (x - x0)), a_t = 1 / (2 gamma sqrt(t + 1)), the worst iterate counts.

    It weighs distance instead of bounding it: a small gamma goes far. In a ball each iterate is projected as well.
    It climbs the cross-entropy itself, as the Lagrangian has it, which is flat at confident samples in floating point;
    that is why the table of attacks does not hold it.

    Source: Sinha, Namkoong & Duchi, arXiv 1710.10571; Farnia, Zhang & Tse, arXiv 1811.07457, for the steps.
    """

    gamma: float = 0.5
    steps: int = 15

    def __post_init__(self) -> None:
        if not self.gamma > 0 or self.steps < 1:
            raise ValueError(f"gamma and steps must be positive, got {self}")

    @property
    def name(self) -> str:
        """The one form there is."""
        return "wrm"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:  # noqa: ARG002  nothing is drawn
        """Two candidates a sample: the smallest margin and the largest cross-entropy of all iterates."""
        worst = Worst(clean, labels)
        rows = torch.arange(len(clean), device=clean.device)
        points = clean
        with contextlib.suppress(OutOfTimeError):
            for step in range(self.steps + 1):
                logits, gradient = logits_and_gradient(classify, partial(cross_entropy, labels=labels), points)
                worst.update(rows, points, logits)
                points = ball.project(ascend(points, gradient, clean, self.gamma, step), clean)
        return worst.points()


def ascend(points: Tensor, gradient: Tensor, clean: Tensor, gamma: float, step: int) -> Tensor:
    """One step of the Lagrangian's ascent, number `step` from 0."""
    length: float = 1 / (2 * gamma * (step + 1) ** 0.5)
    return points + length * (gradient - 2 * gamma * (points - clean))
