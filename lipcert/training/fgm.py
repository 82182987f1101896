"""One step to the rim of the ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Generator, Tensor

from lipcert.attacks import Ball
from lipcert.attacks.base import logits_and_gradient
from lipcert.records import Norm
from lipcert.training.adversary import ADVERSARIES, AbstractAdversary, objective
from lipcert.training.base import Net


@ADVERSARIES.register("fgm")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FgmExamples(AbstractAdversary):
    """x + eps v with v the steepest direction of norm 1: the loss gradient over its length in l2, its sign in linf.

    Cost: one forward and one backward pass.

    Source: Goodfellow, Shlens & Szegedy, arXiv 1412.6572; Farnia, Zhang & Tse, arXiv 1811.07457 (FGM in l2 and linf).
    """

    norm: Norm = "l2"
    eps: float = 0.1
    input_range: tuple[float, float] | None = None

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  nothing is drawn
        """Inputs on the rim of the ball, cut to the input range."""
        ball = Ball(norm=self.norm, eps=self.eps, input_range=self.input_range)
        climbed = objective("ce", labels, inputs, 2.0)
        _, gradient = logits_and_gradient(net, climbed, inputs)
        return ball.furthest(gradient, inputs.detach())
