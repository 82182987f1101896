"""What every penalty shares: its interface, the table of penalties, and the network to first order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from lipcert.analyses.jacobian.base import Linearised
from lipcert.registry import Registry

Net = Callable[[Tensor], Tensor]
"""A differentiable map from a batch (N, *input_shape) to logits (N, K): any nn.Module of that kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractPenalty(ABC):
    """A number to add, times a weight, to the loss of a batch. The fields of a subclass are its settings.

    replaces_loss  the number is a loss by itself, to be minimised in place of the cross-entropy
    """

    replaces_loss: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:
        """The mean over the batch, a scalar that is differentiable in the parameters of `net`.

        inputs     (N, *input_shape)
        labels     (N,), int64
        generator  of what is drawn, on the CPU; a penalty that draws nothing needs none
        """


PENALTIES: Registry[type[AbstractPenalty]] = Registry("penalty")


def linearise(net: Net, inputs: Tensor, labels: Tensor) -> Linearised:
    """Logits and Jacobian at each sample, differentiable in the parameters of `net`: one forward and K backward passes.

    Differentiating the sum of a logit over the batch gives every sample's own row as long as samples do not interact,
    which they do in a batch norm in training mode.
    """
    x = inputs.detach().requires_grad_()
    logits = net(x)
    rows = [_gradient(logits[:, k].sum(), x) for k in range(logits.shape[1])]
    return Linearised(logits=logits, jacobian=torch.stack(rows, dim=1), classes=labels)


def pull(net: Net, inputs: Tensor, slopes: Tensor) -> Tensor:
    """J'u for each row u of `slopes`, (N, K) -> (N, D), differentiable: one forward and one backward pass."""
    x = inputs.detach().requires_grad_()
    return _gradient((net(x) * slopes).sum(), x)


def _gradient(value: Tensor, x: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(value, x, create_graph=True, materialize_grads=True)
    return gradient.flatten(1)


def drawn(shape: tuple[int, ...], like: Tensor, generator: Generator | None) -> Tensor:
    """Standard normal numbers, the same on every device. Raises ValueError without a generator."""
    if generator is None:
        raise ValueError("this penalty draws random numbers: pass a torch.Generator")
    numbers = torch.randn(shape, generator=generator, dtype=torch.float64)
    return numbers.to(device=like.device, dtype=like.dtype)


def class_count(net: Net, inputs: Tensor) -> int:
    """Number of logits."""
    with torch.no_grad():
        return int(net(inputs[:1]).shape[1])
