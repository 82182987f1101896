"""What every attack shares: its interface, the table of attacks, gradients, and the sign that time is up."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.ball import Ball
from lipcert.attacks.noise import Noise
from lipcert.attacks.worst import Nearest, Worst
from lipcert.registry import Registry

__all__ = [
    "ATTACKS",
    "AbstractAttack",
    "Ball",
    "Classifier",
    "Nearest",
    "Noise",
    "Objective",
    "OutOfTimeError",
    "Worst",
    "logits_and_gradient",
    "logits_gradient_loss",
]
Classifier = Callable[[Tensor], Tensor]
Objective = Callable[[Tensor], Tensor]


@final
class OutOfTimeError(Exception):
    """Raised by a classifier once the time given to a search has passed. A search stops, and returns what it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractAttack(ABC):
    """A search for bad points in a ball. The fields of a subclass are its settings."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What reports call this attack with these settings."""

    @property
    def settings(self) -> dict[str, str | int | float | bool]:
        """The fields by name, as they are reported."""
        return dataclasses.asdict(self)

    @abstractmethod
    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """Candidates for the worst point of each sample, shape (candidates, N, *input_shape), all inside the ball.

        classify  differentiable; (N, *input_shape) -> logits (N, classes); raises OutOfTimeError when time is up,
                  which a search suppresses to return what it has found so far
        clean     a batch of samples, in the dtype and on the device `classify` takes
        """


ATTACKS: Registry[type[AbstractAttack]] = Registry("attack")


def logits_and_gradient(classify: Classifier, objective: Objective, points: Tensor) -> tuple[Tensor, Tensor]:
    """Logits at `points`, and the gradient with respect to each point of its own objective; NaN and infinity become 0.

    objective  logits (N, classes) -> (N,), one number a sample
    """
    logits, gradient, _ = logits_gradient_loss(classify, objective, points)
    return logits, gradient


def logits_gradient_loss(classify: Classifier, objective: Objective, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Likewise, and the objective itself."""
    x = points.detach().requires_grad_()
    with torch.enable_grad():
        logits = classify(x)
        losses = objective(logits)
    if not losses.requires_grad:
        return logits.detach(), torch.zeros_like(x), losses.detach()
    (gradient,) = torch.autograd.grad(losses.sum(), x, materialize_grads=True)
    return logits.detach(), gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0), losses.detach()
