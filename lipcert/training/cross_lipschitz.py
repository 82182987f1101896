"""Differences between the gradients of the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Generator, Tensor

from lipcert.training.base import PENALTIES, AbstractPenalty, Net, class_count, drawn, linearise, pull


@PENALTIES.register("cross_lipschitz")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CrossLipschitz(AbstractPenalty):
    """Mean of (1 / K^2) sum_lm ||J_l - J_m||^2 = (2 / K) ||PJ||_F^2, P = I - 11'/K; J is seen up to a common row.

    With `projections` m: (2 (K - 1) / (K m)) sum_i ||J'u_i||^2 with u_i uniform among unit vectors orthogonal to 1.
    Cost: K backward passes and their gradient; with projections m of them.

    Source: Hein & Andriushchenko, NeurIPS 2017.
    """

    projections: int | None = None

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:
        """In squared logit units over squared data units."""
        if self.projections is None:
            local = linearise(net, inputs, labels)
            return local.centred.square().sum(dim=(1, 2)).mean() * (2 / local.logits.shape[1])
        classes = class_count(net, inputs)
        total = inputs.new_zeros(())
        for _ in range(self.projections):
            directions = drawn((len(inputs), classes), inputs, generator)
            directions -= directions.mean(dim=1, keepdim=True)
            directions /= torch.linalg.vector_norm(directions, dim=1, keepdim=True)
            total = total + pull(net, inputs, directions).square().sum(dim=1).mean()
        return total * (2 * (classes - 1) / (classes * self.projections))
