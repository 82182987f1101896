"""The spectral norms of all layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final
from weakref import WeakKeyDictionary

import torch
from torch import Generator, Tensor, nn

from lipcert.training.base import PENALTIES, AbstractPenalty, Net
from lipcert.training.linear_layers import LinearMap, linear_layers
from lipcert.training.power_step import first_vector, norm_along, power_step

_State = dict[tuple[str, LinearMap], Tensor]


@PENALTIES.register("global_spectral")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalSpectral(AbstractPenalty):
    """(1 / 2) sum_i s_i^2 over linear and convolution layers, s_i the spectral norm at the layer's true input size.

    s_i is ||W v|| at the vector of a power method, which is kept between calls and moved by `steps` each time.
    A layer used at several sizes counts at each. `net` must be an nn.Module.
    Cost: steps + 1 passes of each layer forward and back, on one sample.

    Source: Yoshida & Miyato, arXiv 1705.10941; the convolution as an operator: Farnia, Zhang & Tse, arXiv 1811.07457.
    """

    steps: int = 1
    _states: WeakKeyDictionary[nn.Module, _State] = field(
        default_factory=WeakKeyDictionary, init=False, repr=False, compare=False
    )

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  labels are not used
        """In squared units of gain. The generator is needed the first time a network is seen."""
        if not isinstance(net, nn.Module):
            raise TypeError(f"the layers of an nn.Module are needed, got {type(net).__name__}")
        state = self._states.get(net)
        if state is None:
            state = self._states[net] = _started(net, inputs[:1], generator)
        modules = dict(net.named_modules())
        total = inputs.new_zeros(())
        for (name, layer), vector in state.items():
            weight = _weight(modules[name])
            for _ in range(self.steps):
                vector = power_step(layer, weight, vector)  # noqa: PLW2901  moved on
            state[name, layer] = vector
            total = total + norm_along(layer, weight, vector).square()
        return total / 2


def _started(net: nn.Module, example: Tensor, generator: Generator | None) -> _State:
    if generator is None:
        raise ValueError("the power method starts at random: pass a torch.Generator")
    modules = dict(net.named_modules())
    with torch.no_grad():
        return {
            (name, layer): first_vector(layer, _weight(modules[name]), generator)
            for name, maps in linear_layers(net, example).items()
            for layer in maps
        }


def _weight(module: Any) -> Tensor:
    weight: Tensor = module.weight
    return weight
