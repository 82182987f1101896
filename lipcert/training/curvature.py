"""How much the gradient of the loss changes along its own sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Generator, Tensor

from lipcert.training.base import PENALTIES, AbstractPenalty, Net
from lipcert.training.input_gradient import loss_gradient


@PENALTIES.register("curvature")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature(AbstractPenalty):
    """Mean of ||grad l(x + h v) - grad l(x)||^2 with v = sign(grad l) / ||sign(grad l)||_2, held fixed.

    step  h, in l2 and data units; over h^2, the value tends to ||Hv||^2 of the loss's Hessian H

    Cost: two backward passes and their gradients.

    Source: Moosavi-Dezfooli, Fawzi, Uesato & Frossard, CVPR 2019 (CURE).
    """

    step: float = 0.1

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  nothing is drawn
        """In squared nats over squared data units."""
        gradient = loss_gradient(net, inputs, labels)
        signs = gradient.detach().sign()
        direction = signs / torch.linalg.vector_norm(signs, dim=1, keepdim=True).clamp_min(1.0)
        moved = inputs.detach() + self.step * direction.reshape(inputs.shape)
        return (loss_gradient(net, moved, labels) - gradient).square().sum(dim=1).mean()
