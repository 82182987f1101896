"""What every way of making training examples shares: its interface, the table, the losses it climbs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Generator, Tensor

from lipcert.analyses.jacobian.base import vector_norm
from lipcert.attacks import Ball
from lipcert.attacks.base import Objective
from lipcert.graph.scores import error_log_odds
from lipcert.registry import Registry
from lipcert.training.base import Net, drawn

Loss = Literal["ce", "logits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractAdversary(ABC):
    """A perturbation of a batch to train on. The fields of a subclass are its settings.

    Gradients are taken with respect to the inputs alone: those of the parameters are left as they are. A batch norm in
    training mode sees the passes; put the network in evaluation mode around the call where that is not wanted.
    """

    @abstractmethod
    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:
        """Perturbed inputs, detached, of the shape and dtype of `inputs`."""


ADVERSARIES: Registry[type[AbstractAdversary]] = Registry("adversary")


def objective(loss: Loss, labels: Tensor, clean: Tensor, exponent: float) -> Objective:
    """What is climbed at each sample.

    ce      the cross-entropy, through the log-odds of an error, which rise where it does and do not saturate
    logits  ||f(x*) - f(x)||_q for `exponent` q, from the `clean` logits f(x); flat at x itself
    """
    if loss == "ce":
        return partial(error_log_odds, labels=labels)
    return lambda logits: vector_norm(logits - clean, exponent)


def random_start(ball: Ball, inputs: Tensor, generator: Generator | None) -> Tensor:
    """Points of the ball at a random distance in a random direction: uniform in linf, and in l2."""
    numbers = drawn(tuple(inputs.shape), inputs, generator)
    if ball.norm == "linf":
        uniform = torch.special.ndtr(numbers)
        return ball.project(inputs + ball.eps * (2 * uniform - 1), inputs)
    flat = numbers.flatten(1)
    share = torch.special.ndtr(drawn((len(inputs), 1), inputs, generator)) ** (1 / flat.shape[1])
    lengths = torch.linalg.vector_norm(flat, 1 if ball.norm == "l1" else 2, dim=1, keepdim=True)
    return ball.project(inputs + ball.eps * (flat / lengths * share).reshape(inputs.shape), inputs)
