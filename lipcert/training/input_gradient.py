"""The gradient of the loss with respect to the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Generator, Tensor

from lipcert.graph.scores import cross_entropy
from lipcert.training.base import PENALTIES, AbstractPenalty, Net


@PENALTIES.register("input_gradient")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InputGradient(AbstractPenalty):
    """Mean of ||J'g||_2^2 with g = p - e_y, or of ||J'g||_1: what the loss rises by to first order in l2 or linf.

    It carries the factor 1 - p_y, so a confident network has a small one whatever its Jacobian is.
    Cost: one backward pass and its gradient.

    Source: Drucker & LeCun, IEEE Trans. Neural Networks 3 (1992); Ross & Doshi-Velez, AAAI 2018.
    """

    norm: Literal["l2", "linf"] = "l2"

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  nothing is drawn
        """Squared in l2, not in linf."""
        gradient = loss_gradient(net, inputs, labels)
        return (gradient.square() if self.norm == "l2" else gradient.abs()).sum(dim=1).mean()


def loss_gradient(net: Net, inputs: Tensor, labels: Tensor) -> Tensor:
    """The gradient of the cross-entropy of each sample, (N, D), differentiable in the parameters of `net`."""
    x = inputs.detach().requires_grad_()
    total = cross_entropy(net(x), labels).sum()
    (gradient,) = torch.autograd.grad(total, x, create_graph=True, materialize_grads=True)
    return gradient.flatten(1)
