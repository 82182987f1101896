"""Spectral norms of a network's layers, followed from one training step to the next."""

from __future__ import annotations

from typing import Any, final
from weakref import WeakKeyDictionary

import torch
from torch import Generator, Tensor, nn

from lipcert.training.linear_layers import LinearMap, linear_layers
from lipcert.training.power_step import first_vector, norm_along, power_step


@final
class RunningNorms:
    """||W v|| of each linear and convolution layer, v from a power method that goes on where the last call left it.

    Never above the true norms, at the layers' true input sizes; the largest where a layer is used at several.
    """

    def __init__(self) -> None:
        self._vectors: WeakKeyDictionary[nn.Module, dict[tuple[str, LinearMap], Tensor]] = WeakKeyDictionary()

    def step(self, net: Any, example: Tensor, *, steps: int, generator: Generator | None) -> dict[str, Tensor]:
        """Layer name -> norm, differentiable in its weight, in order of execution.

        example    one sample, from which the sizes are read the first time
        generator  needed the first time a network is seen, for the vectors to start from

        Raises TypeError for what is no nn.Module, ValueError without a generator the first time.
        """
        if not isinstance(net, nn.Module):
            raise TypeError(f"the layers of an nn.Module are needed, got {type(net).__name__}")
        if net not in self._vectors:
            self._vectors[net] = _started(net, example, generator)
        vectors, found = self._vectors[net], dict[str, Tensor]()
        for (name, layer), vector in vectors.items():
            weight, moved = weight_of(net.get_submodule(name)), vector
            for _ in range(steps):
                moved = power_step(layer, weight, moved)
            vectors[name, layer] = moved
            norm = norm_along(layer, weight, moved)
            found[name] = torch.maximum(found[name], norm) if name in found else norm
        return found


def weight_of(module: Any) -> Tensor:
    """The weight a layer computes with, parametrised or not."""
    weight: Tensor = module.weight
    return weight


def _started(net: nn.Module, example: Tensor, generator: Generator | None) -> dict[tuple[str, LinearMap], Tensor]:
    if generator is None:
        raise ValueError("the power method starts at random: pass a torch.Generator")
    with torch.no_grad():
        return {
            (name, layer): first_vector(layer, weight_of(net.get_submodule(name)), generator)
            for name, maps in linear_layers(net, example).items()
            for layer in maps
        }
