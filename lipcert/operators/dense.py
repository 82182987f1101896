"""The linear part of a fully connected layer."""

from __future__ import annotations

from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power


@final
class DenseOperator(AbstractLinearOperator):
    """x -> W x, with `weight` W of shape (out, in), held in float64."""

    def __init__(self, weight: Tensor) -> None:
        if weight.ndim != 2:
            raise ValueError(f"weight must be a matrix, got shape {tuple(weight.shape)}")
        self.weight = weight.detach().to(torch.float64)
        self.out_shape, self.in_shape = Size(self.weight.shape[:1]), Size(self.weight.shape[1:])
        self.terms = max(self.weight.shape)
        self.device = self.weight.device

    def apply(self, x: Tensor) -> Tensor:
        """W x."""
        return x @ self.weight.T

    def adjoint(self, y: Tensor) -> Tensor:
        """W' y."""
        return y @ self.weight

    def powered(self, power: Power) -> DenseOperator:
        """The matrix of powers."""
        return DenseOperator(self.weight.abs() ** power)
