"""The squared Frobenius norm of the Jacobian, whole or by random projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Generator, Tensor

from lipcert.training.base import PENALTIES, AbstractPenalty, Net, class_count, drawn, linearise, pull


@PENALTIES.register("jacobian_frobenius")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JacobianFrobenius(AbstractPenalty):
    """Mean of ||J||_F^2; with `projections` m, its unbiased estimate (K / m) sum_i ||J'u_i||^2, u_i uniform unit.

    Cost: K backward passes and their gradient; with projections m of them. One projection has a relative standard
    deviation of at most sqrt(2) a sample, which the batch averages out.

    Source: Hoffman, Roberts & Yaida, arXiv 1908.02729; Drucker & LeCun, IEEE Trans. Neural Networks 3 (1992). As a
    surrogate of the robust loss in l2: Wu & Li, arXiv 2412.12449.
    """

    projections: int | None = None

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:
        """In squared logit units over squared data units."""
        if self.projections is None:
            return linearise(net, inputs, labels).jacobian.square().sum(dim=(1, 2)).mean()
        classes = class_count(net, inputs)
        total = inputs.new_zeros(())
        for _ in range(self.projections):
            directions = drawn((len(inputs), classes), inputs, generator)
            directions /= torch.linalg.vector_norm(directions, dim=1, keepdim=True)
            total = total + pull(net, inputs, directions).square().sum(dim=1).mean()
        return total * classes / self.projections
