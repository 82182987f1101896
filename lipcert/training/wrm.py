"""Ascent on the loss less the squared distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import final

from torch import Generator, Tensor

from lipcert.attacks.base import logits_and_gradient
from lipcert.attacks.wrm import ascend
from lipcert.graph.scores import cross_entropy
from lipcert.training.adversary import ADVERSARIES, AbstractAdversary
from lipcert.training.base import Net


@ADVERSARIES.register("wrm")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WrmExamples(AbstractAdversary):
    """x <- x + a_t (grad loss - 2 gamma (x - x0)), a_t = 1 / (2 gamma sqrt(t + 1)); the last iterate.

    It climbs loss - gamma ||x - x0||_2^2: distance is weighed and not bounded. Well posed where 2 gamma exceeds the
    Lipschitz constant of the loss gradient, which a ReLU network does not have.
    Cost: `steps` forward and backward passes.

    Source: Sinha, Namkoong & Duchi, arXiv 1710.10571; Farnia, Zhang & Tse, arXiv 1811.07457, for the steps.
    """

    gamma: float = 0.5
    steps: int = 15
    input_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.gamma > 0 or self.steps < 1:
            raise ValueError(f"gamma and steps must be positive, got {self}")

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  nothing is drawn
        """Inputs near the clean ones, cut to the input range."""
        clean = inputs.detach()
        points = clean
        for step in range(self.steps):
            _, gradient = logits_and_gradient(net, partial(cross_entropy, labels=labels), points)
            points = ascend(points, gradient, clean, self.gamma, step)
            points = points if self.input_range is None else points.clamp(*self.input_range)
        return points
