"""Scaling entry by entry: batch norm, a product with a constant, the scale of a preprocessing step."""

from __future__ import annotations

from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power


@final
class DiagonalOperator(AbstractLinearOperator):
    """x -> scale * x, where `scale` broadcasts to `shape` without enlarging it."""

    def __init__(self, scale: Tensor, shape: Size) -> None:
        self.scale = scale.detach().to(torch.float64)
        if self.scale.ndim > len(shape) or any(
            s not in {1, n} for s, n in zip(self.scale.shape[::-1], shape[::-1], strict=False)
        ):
            raise ValueError(f"scale of shape {tuple(scale.shape)} does not fit inputs of shape {tuple(shape)}")
        self.in_shape = self.out_shape = shape
        self.terms = 1
        self.device = self.scale.device

    def apply(self, x: Tensor) -> Tensor:
        """Entrywise product with the scale."""
        return x * self.scale

    def adjoint(self, y: Tensor) -> Tensor:
        """The same: a diagonal is its own adjoint."""
        return y * self.scale

    def powered(self, power: Power) -> DiagonalOperator:
        """A diagonal of powers."""
        return DiagonalOperator(self.scale.abs() ** power, self.in_shape)
