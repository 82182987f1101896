"""The worst loss that interval arithmetic allows in an linf ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch.nn.functional as F
from torch import Generator, Tensor, nn

from lipcert.graph.scores import cross_entropy
from lipcert.training.base import PENALTIES, AbstractPenalty, Net
from lipcert.training.chains import LINEAR, MONOTONE, chain


@PENALTIES.register("interval")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalLoss(AbstractPenalty):
    """(1 - share) times the cross-entropy plus `share` times log sum_k exp(upper end of z_k - z_y) over the linf ball.

    Ends are those of interval arithmetic, with the last layer joined to the differences of logits: the number is at
    least the robust loss, up to rounding. `net` must be an nn.Sequential of linear layers, convolutions, activations
    that never fall, and flattening. Cost: twice a forward pass with the absolute weights beside it.

    Source: Gowal et al., arXiv 1810.12715 (IBP), who raise eps and the share over the epochs.
    """

    replaces_loss: ClassVar[bool] = True

    eps: float = 0.1
    share: float = 0.5
    input_range: tuple[float, float] | None = None

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  nothing is drawn
        """In nats."""
        clean = cross_entropy(net(inputs), labels).mean()
        leads = interval_leads(net, inputs, labels, eps=self.eps, input_range=self.input_range)
        robust = leads.logsumexp(dim=1).mean()
        return (1 - self.share) * clean + self.share * robust


def interval_leads(
    net: Any, inputs: Tensor, labels: Tensor, *, eps: float, input_range: tuple[float, float] | None = None
) -> Tensor:
    """Upper ends of z_k - z_y over the ball for each class k, (N, K); 0 at y."""
    layers, last = chain(net, "interval arithmetic", MONOTONE)
    low, high = inputs - eps, inputs + eps
    if input_range is not None:
        low, high = low.clamp(*input_range), high.clamp(*input_range)
    for layer in layers:
        low, high = _through(layer, low, high)
    centre, radius = (low + high) / 2, (high - low) / 2
    apart = last.weight[None] - last.weight[labels][:, None]
    leads = (apart @ centre[:, :, None] + apart.abs() @ radius[:, :, None])[:, :, 0]
    return leads if last.bias is None else leads + last.bias - last.bias[labels][:, None]


def _through(layer: Any, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Ends of a layer's values from those of its inputs: |W| times the radius around W times the centre, plus b."""
    if not isinstance(layer, LINEAR):
        return layer(low), layer(high)
    centre, radius = layer((low + high) / 2), _spread(layer, (high - low) / 2)
    return centre - radius, centre + radius


def _spread(layer: Any, radius: Tensor) -> Tensor:
    weight = layer.weight.abs()
    if isinstance(layer, nn.Linear):
        return F.linear(radius, weight)
    convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[weight.ndim - 2]
    return convolve(radius, weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)
