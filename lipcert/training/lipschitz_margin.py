"""The worst loss that the layers' spectral norms allow in an l2 ball."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

import torch
from torch import Generator, Tensor

from lipcert.training.base import PENALTIES, AbstractPenalty, Net
from lipcert.training.chains import LIPSCHITZ, chain
from lipcert.training.running_norms import RunningNorms


@PENALTIES.register("lipschitz_margin")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LipschitzMargin(AbstractPenalty):
    """Mean of log sum_k exp(z_k - z_y + eps ||w_k - w_y||_2 prod_{i<L} s_i), w_k the rows of the last layer.

    With the layers' spectral norms s_i it is at least the robust loss in the l2 ball: the pairwise surrogate, with the
    steepest the network can be anywhere in place of the Jacobian at the sample. Here s_i is the running lower estimate
    of a power method, so the number is a training loss and the certificate is the report's. `net` must be an
    nn.Sequential of linear layers, convolutions, 1-Lipschitz activations, and flattening.
    Cost: a forward pass, and steps + 1 passes of each layer forward and back on one sample.

    Source: Tsuzuku, Sato & Sugiyama, arXiv 1802.04034; Leino, Wang & Fredrikson, arXiv 2102.08452 (GloRo), for the
    pairs and training through the norms.
    """

    replaces_loss: ClassVar[bool] = True

    eps: float = 0.5
    steps: int = 1
    _norms: RunningNorms = field(default_factory=RunningNorms, init=False, repr=False, compare=False)

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:
        """In nats. The generator is needed the first time a network is seen."""
        _, last = chain(net, "a Lipschitz margin", LIPSCHITZ)
        norms = list(self._norms.step(net, inputs[:1], steps=self.steps, generator=generator).values())
        gain = torch.stack([inputs.new_ones(()), *norms[:-1]]).prod()
        logits = net(inputs)
        own = logits.gather(1, labels[:, None])
        squares = (last.weight[None] - last.weight[:, None]).square().sum(dim=2)
        # The root has no slope at 0, where k = y: there is nothing to be steep there.
        apart = squares.clamp_min(torch.finfo(squares.dtype).tiny).sqrt()[labels]
        apart = apart.scatter(1, labels[:, None], 0.0)
        return (logits - own + self.eps * gain * apart).logsumexp(dim=1).mean()
