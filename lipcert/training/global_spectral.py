"""The spectral norms of all layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import torch
from torch import Generator, Tensor

from lipcert.training.base import PENALTIES, AbstractPenalty, Net
from lipcert.training.running_norms import RunningNorms


@PENALTIES.register("global_spectral")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalSpectral(AbstractPenalty):
    """(1 / 2) sum_i s_i^2 over linear and convolution layers, s_i the spectral norm at the layer's true input size.

    s_i is ||W v|| at the vector of a power method, which is kept between calls and moved by `steps` each time.
    `net` must be an nn.Module. Cost: steps + 1 passes of each layer forward and back, on one sample.

    Source: Yoshida & Miyato, arXiv 1705.10941; the convolution as an operator: Farnia, Zhang & Tse, arXiv 1811.07457.
    """

    steps: int = 1
    _norms: RunningNorms = field(default_factory=RunningNorms, init=False, repr=False, compare=False)

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  labels are not used
        """In squared units of gain. The generator is needed the first time a network is seen."""
        norms = self._norms.step(net, inputs[:1], steps=self.steps, generator=generator)
        return torch.stack(list(norms.values())).square().sum() / 2
