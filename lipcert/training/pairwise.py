"""The pairwise surrogate of the robust loss, from the Jacobian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Generator, Tensor

from lipcert.analyses.jacobian.base import conjugate, vector_norm
from lipcert.analyses.jacobian.rivals import EXPONENTS
from lipcert.records import Norm
from lipcert.training.base import PENALTIES, AbstractPenalty, Net, linearise


@PENALTIES.register("pairwise")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise(AbstractPenalty):
    """Mean of log sum_k exp(z_k - z_y + eps ||J_k - J_y||_{p*}), at least the robust loss of the linearised network.

    Every difference of logits is at its largest over the ball, which is the robust loss itself with two classes.
    Cost: K backward passes and their gradient. It is a loss, to be minimised in place of the cross-entropy.

    Source: the surrogates of Wu & Li, arXiv 2412.12449, made tight pair by pair; the chain of inequalities stands in
    `lipcert.analyses.jacobian.surrogates`.
    """

    replaces_loss: ClassVar[bool] = True

    norm: Norm = "l2"
    eps: float = 0.1

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  nothing is drawn
        """In nats."""
        local = linearise(net, inputs, labels)
        index = labels[:, None]
        own = local.jacobian.gather(1, index[:, :, None].expand(-1, 1, local.jacobian.shape[2]))
        others = ~torch.zeros_like(local.logits, dtype=torch.bool).scatter(1, index, value=True)
        apart = (local.jacobian - own)[others].reshape(len(inputs), -1, own.shape[2])
        steepness = vector_norm(apart, conjugate(EXPONENTS[self.norm]))
        behind = (local.logits - local.logits.gather(1, index))[others].reshape(len(inputs), -1)
        raised = behind + self.eps * steepness
        odds = raised.logsumexp(dim=1)
        return torch.logaddexp(odds, torch.zeros_like(odds)).mean()
