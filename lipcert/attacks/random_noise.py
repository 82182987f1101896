"""Points drawn at random: what an attack must beat."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import ATTACKS, AbstractAttack, Ball, Classifier, Noise, OutOfTimeError, Worst


@ATTACKS.register("noise")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RandomNoise(AbstractAttack):
    """Uniform points of the ball, and every other one pushed out to its rim. A control, not an attack.

    draws  points a sample
    """

    draws: int = 10

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise ValueError(f"draws must be 1 or more, got {self.draws}")

    @property
    def name(self) -> str:
        """The one form there is."""
        return "noise"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """Two candidates a sample: the smallest margin and the largest cross-entropy of all draws."""
        worst = Worst(clean, labels)
        rows = torch.arange(len(clean), device=clean.device)
        with torch.no_grad(), contextlib.suppress(OutOfTimeError):
            for draw in range(self.draws):
                points = ball.sample(clean, noise, draw)
                if draw % 2:
                    points = ball.project(clean + ball.eps * ball.steepest(points - clean), clean)
                worst.update(rows, points, classify(points))
        return worst.points()
