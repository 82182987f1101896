"""The linear part of a fully connected layer, and any other written-out matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power


@final
class DenseOperator(AbstractLinearOperator):
    """x -> W x, with `weight` W of shape (out, in), held in float64; both sides may have a shape."""

    def __init__(
        self, weight: Tensor, *, in_shape: Sequence[int] | None = None, out_shape: Sequence[int] | None = None
    ) -> None:
        if weight.ndim != 2:
            raise ValueError(f"weight must be a matrix, got shape {tuple(weight.shape)}")
        self.weight = weight.detach().to(torch.float64)
        self.out_shape = Size(out_shape if out_shape is not None else weight.shape[:1])
        self.in_shape = Size(in_shape if in_shape is not None else weight.shape[1:])
        if (math.prod(self.out_shape), math.prod(self.in_shape)) != tuple(weight.shape):
            raise ValueError(f"a {tuple(weight.shape)} matrix maps no {self.in_shape} to {self.out_shape}")
        self.terms = max(self.weight.shape)
        self.device = self.weight.device

    def apply(self, x: Tensor) -> Tensor:
        """W x."""
        return (x.flatten(1) @ self.weight.T).reshape(-1, *self.out_shape)

    def adjoint(self, y: Tensor) -> Tensor:
        """W' y."""
        return (y.flatten(1) @ self.weight).reshape(-1, *self.in_shape)

    def powered(self, power: Power) -> DenseOperator:
        """The matrix of powers."""
        return DenseOperator(self.weight.abs() ** power, in_shape=self.in_shape, out_shape=self.out_shape)

    @property
    def work(self) -> float:
        """Entries of the matrix."""
        return float(self.weight.numel())
