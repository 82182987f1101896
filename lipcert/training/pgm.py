"""Several steps inside the ball."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Generator, Tensor

from lipcert.attacks import Ball
from lipcert.attacks.base import logits_and_gradient
from lipcert.records import Norm
from lipcert.training.adversary import ADVERSARIES, AbstractAdversary, Loss, objective, random_start
from lipcert.training.base import Net


@ADVERSARIES.register("pgm")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PgmExamples(AbstractAdversary):
    """x <- project(x + a v), v the steepest direction of the loss, a = step_share * eps; the last iterate.

    step_share  2 / steps unless told, as in both sources; infinite: x <- x0 + eps v, the power method's step
    start       the clean sample, or a random point; "logits" is flat at the clean sample and needs the latter
    loss        "ce", or "logits": ||f(x*) - f(x)||_q for q = `exponent`

    Cost: `steps` forward and backward passes.

    Source: Madry et al., arXiv 1706.06083; Farnia, Zhang & Tse, arXiv 1811.07457 (PGM, 15 steps, clean start); Roth,
    Kilcher & Hofmann, arXiv 1906.01527 (10 steps, random start, and the loss on the logits).
    """

    norm: Norm = "l2"
    eps: float = 0.1
    steps: int = 10
    step_share: float | None = None
    start: Literal["clean", "random"] = "clean"
    loss: Loss = "ce"
    exponent: float = 2.0
    input_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.steps < 1 or (self.step_share is not None and not self.step_share > 0):
            raise ValueError(f"steps and step_share must be positive, got {self}")
        if self.loss == "logits" and self.start == "clean":
            raise ValueError("the loss on the logits is flat at the clean sample: start at random")

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:
        """Inputs inside the ball, cut to the input range."""
        ball = Ball(norm=self.norm, eps=self.eps, input_range=self.input_range)
        clean = inputs.detach()
        points = clean if self.start == "clean" else random_start(ball, clean, generator)
        with torch.no_grad():
            climbed = objective(self.loss, labels, net(clean) if self.loss == "logits" else clean, self.exponent)
        share = 2 / self.steps if self.step_share is None else self.step_share
        for _ in range(self.steps):
            _, gradient = logits_and_gradient(net, climbed, points)
            direction = ball.steepest(gradient)
            moved = clean + self.eps * direction if math.isinf(share) else points + share * self.eps * direction
            points = ball.project(moved, clean)
        return points
