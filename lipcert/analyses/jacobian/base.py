"""What the parts of the Jacobian analysis share: the linearised network at some samples, and dual exponents."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.graph.scores import cross_entropy


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Linearised:
    """The network to first order at each of N samples: z + J delta, in float64.

    logits    z, (N, K)
    jacobian  J, (N, K, D)
    classes   y, (N,): the true class, or the predicted one where labels are not known
    """

    logits: Tensor
    jacobian: Tensor
    classes: Tensor

    @cached_property
    def centred(self) -> Tensor:
        """P J: J less its mean row, which is all that differences of logits and the softmax see."""
        return self.jacobian - self.jacobian.mean(dim=1, keepdim=True)

    @cached_property
    def gram(self) -> Tensor:
        """(P J)(P J)', shape (N, K, K)."""
        return self.centred @ self.centred.mT

    @cached_property
    def probabilities(self) -> Tensor:
        """The softmax p, (N, K)."""
        return self.logits.softmax(dim=1)

    @cached_property
    def doubt(self) -> Tensor:
        """1 - p_y, (N,), without cancellation."""
        return self.probabilities.scatter(1, self.classes[:, None], 0.0).sum(dim=1)

    @cached_property
    def loss(self) -> Tensor:
        """Cross-entropy in nats, (N,)."""
        return cross_entropy(self.logits, self.classes)

    @cached_property
    def loss_slope(self) -> Tensor:
        """The gradient g = p - e_y of the loss with respect to the logits, (N, K)."""
        return self.probabilities.scatter(1, self.classes[:, None], -self.doubt[:, None])

    @cached_property
    def loss_gradient(self) -> Tensor:
        """J' g, the gradient of the loss with respect to the input, (N, D)."""
        return (self.loss_slope[:, None, :] @ self.jacobian)[:, 0]


def conjugate(exponent: float) -> float:
    """p* with 1/p + 1/p* = 1, for p in [1, inf]."""
    if not exponent >= 1:
        raise ValueError(f"the exponent of a norm must be at least 1, got {exponent}")
    if exponent == 1:
        return math.inf
    return 1.0 if math.isinf(exponent) else exponent / (exponent - 1)


def vector_norm(vectors: Tensor, exponent: float, dim: int = -1) -> Tensor:
    """||.||_p along an axis, for p in [1, inf]; other powers than squares are of numbers in [0, 1], not to overflow."""
    if exponent == 2 or vectors.shape[dim] == 0:
        # Several times as fast as torch.linalg.vector_norm.
        return vectors.square().sum(dim=dim).sqrt()
    absolute = vectors.abs()
    if exponent == 1:
        return absolute.sum(dim=dim)
    largest = absolute.amax(dim=dim, keepdim=True)
    if math.isinf(exponent):
        return largest.squeeze(dim)
    scale = torch.where(largest > 0, largest, 1.0)
    total = (absolute / scale).pow(exponent).sum(dim=dim)
    return total.pow(1 / exponent) * largest.squeeze(dim)
