"""Layers whose spectral norm is at most beta, during training and, certified, at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import parametrize

from lipcert.norms import spectral_norm
from lipcert.records import Effort, Enclosure
from lipcert.training.linear_layers import LinearMap, linear_layers
from lipcert.training.power_step import converged, first_vector, norm_along, power_step
from lipcert.training.running_norms import weight_of
from lipcert.training.shrinking import shrink


@final
class SpectralCap(nn.Module):
    """W -> W / max(1, s / beta), s the spectral norm of the layer at its true input size: capped, never raised.

    s = ||W v|| at the vector v of a power method, held in a buffer and moved by one step at each forward pass in
    training mode, with the weights of that moment; its gradient flows. In evaluation mode nothing moves. As s is a
    lower estimate, the norm may exceed beta by a little until `finish` certifies it.

    Cost: two passes of the layer forward and one back, on one sample.

    Source: Farnia, Zhang & Tse, arXiv 1811.07457 (ICLR 2019), a re-parametrisation and not a projection.
    """

    def __init__(self, maps: tuple[LinearMap, ...], weight: Tensor, beta: float, generator: Generator) -> None:
        super().__init__()
        if not beta > 0:
            raise ValueError(f"beta must be positive, got {beta}")
        self.maps, self.beta = maps, beta
        for index, layer in enumerate(maps):
            self.register_buffer(f"vector{index}", first_vector(layer, weight, generator))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight the layer computes with."""
        norms = []
        for index, layer in enumerate(self.maps):
            vector = self.get_buffer(f"vector{index}")
            if self.training:
                vector = power_step(layer, weight, vector)
                self._move(index, vector)
            norms.append(norm_along(layer, weight, vector))
        return weight / (torch.stack(norms).amax() / self.beta).clamp_min(1.0)

    def _move(self, index: int, vector: Tensor) -> None:
        """A new tensor in the buffer's place, as the graph of the last pass may still need the old one."""
        setattr(self, f"vector{index}", vector)

    def right_inverse(self, weight: Tensor) -> Tensor:
        """A weight set from outside is capped like any other."""
        return weight

    @torch.no_grad()
    def settle(self, weight: Tensor) -> Tensor:
        """The capped weight once the power method has converged."""
        for index, layer in enumerate(self.maps):
            self._move(index, converged(layer, weight, self.get_buffer(f"vector{index}")))
        mode, self.training = self.training, False
        capped: Tensor = self(weight)
        self.training = mode
        return capped


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CappedLayer:
    """A layer that has been finished: its name in the network, its cap, and its certified norm at its true input size.

    Where it is applied at several sizes, the largest norm.
    """

    name: str
    beta: float
    norm: Enclosure


def cap(net: nn.Module, example: Tensor, *, beta: float | Mapping[str, float], generator: Generator) -> None:
    """Cap every linear and convolution layer of `net` in place, of any stride, padding and dilation.

    beta     one cap for all layers, or one a layer by name; layers without one stay as they are
    example  a batch that `net` takes, which tells the layers' input sizes
    """
    for name, maps in linear_layers(net, example).items():
        limit = beta.get(name) if isinstance(beta, Mapping) else beta
        if limit is not None:
            module = net.get_submodule(name)
            capping = SpectralCap(maps, weight_of(module), limit, generator)
            parametrize.register_parametrization(module, "weight", capping)


def finish(net: nn.Module, *, effort: Effort = "default") -> tuple[CappedLayer, ...]:
    """Turn every capped layer back into a plain one whose certified spectral norm is at most beta (1 + 1e-6).

    The power method is run to convergence, then the weight is scaled down where its certified norm asks for it.
    """
    found = []
    for name, module in list(net.named_modules()):
        caps = _cap_of(module)
        if caps is None:
            continue
        original = _chain(module).original
        settled = caps.settle(original.detach())
        weight, norm = shrink(settled, partial(_enclose, caps.maps, effort), caps.beta)
        parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
        with torch.no_grad():
            weight_of(module).copy_(weight)
        found.append(CappedLayer(name=name, beta=caps.beta, norm=norm))
    return tuple(found)


def _cap_of(module: nn.Module) -> SpectralCap | None:
    if not parametrize.is_parametrized(module, "weight"):
        return None
    return next((part for part in _chain(module) if isinstance(part, SpectralCap)), None)


def _chain(module: Any) -> Any:
    """The parametrizations of a module's weight."""
    return module.parametrizations.weight


def _enclose(maps: tuple[LinearMap, ...], effort: Effort, weight: Tensor) -> Enclosure:
    found = [spectral_norm(layer.operator(weight), effort=effort) for layer in maps]
    return max(found, key=lambda enclosure: enclosure.upper or 0.0)
