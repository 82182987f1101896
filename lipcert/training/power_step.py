"""One step of the power method on a layer: what training pays for a spectral norm."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from lipcert.training.linear_layers import LinearMap

_STEPS, _TOLERANCE = 1000, 1e-10


def first_vector(layer: LinearMap, weight: Tensor, generator: Generator) -> Tensor:
    """A random unit input, shape (1, *input_shape)."""
    vector: Tensor = torch.randn(1, *layer.input_shape, generator=generator, dtype=torch.float64)
    vector /= vector.norm()
    return vector.to(weight)


def power_step(layer: LinearMap, weight: Tensor, vector: Tensor) -> Tensor:
    """W'W v over its norm; v itself where that is zero. Cost: the layer forward and back, on one sample."""
    x = vector.detach().requires_grad_()
    with torch.enable_grad():
        image = layer.apply(weight.detach(), x)
    (back,) = torch.autograd.grad(image, x, image.detach())
    length = back.norm()
    return torch.where(length > 0, back / length.clamp_min(torch.finfo(back.dtype).tiny), vector).detach()


def norm_along(layer: LinearMap, weight: Tensor, vector: Tensor) -> Tensor:
    """||W v||, never above the spectral norm; its gradient in W is u v' with u = Wv / ||Wv||."""
    value: Tensor = layer.apply(weight, vector).norm()
    return value


def converged(layer: LinearMap, weight: Tensor, vector: Tensor) -> Tensor:
    """The vector after as many steps, a thousand at most, as still raise the norm by more than 1e-10 of it."""
    value = norm_along(layer, weight.detach(), vector)
    for _ in range(_STEPS):
        vector = power_step(layer, weight, vector)
        raised = norm_along(layer, weight.detach(), vector)
        if raised <= value * (1 + _TOLERANCE):
            break
        value = raised
    return vector
