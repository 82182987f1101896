"""Any function known to be affine, as the operator of its linear part."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power
from lipcert.operators.dense import DenseOperator
from lipcert.operators.materialise import materialise


@final
class AffineOperator(AbstractLinearOperator):
    """x -> function(x) - function(0); the adjoint is the function's vector-Jacobian product.

    function  maps one float64 tensor of `in_shape` to another; the caller vouches that it is affine
    """

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        in_shape: Size,
        *,
        device: torch.device = torch.device("cpu"),  # noqa: B008  a constant
    ) -> None:
        self.function = function
        self.device = device
        self.in_shape = in_shape
        self.offset = function(torch.zeros(in_shape, dtype=torch.float64, device=device)).detach()
        self.out_shape = self.offset.shape
        # An output may read every input, and taking the offset away costs one operation more.
        self.terms = max(self.in_size, self.out_size) + 2

    def apply(self, x: Tensor) -> Tensor:
        """The function less its offset, one input at a time."""
        return torch.stack([self.function(row) - self.offset for row in x])

    def adjoint(self, y: Tensor) -> Tensor:
        """Vector-Jacobian products, one output at a time."""
        origin = torch.zeros(self.in_shape, dtype=torch.float64, device=y.device)
        pull = torch.func.vjp(self.function, origin)[1]
        return torch.stack([pull(row)[0] for row in y])

    def powered(self, power: Power) -> DenseOperator:
        """Powers of the materialised matrix."""
        return DenseOperator(materialise(self), in_shape=self.in_shape, out_shape=self.out_shape).powered(power)
