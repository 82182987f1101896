"""The Jacobian of a row-independent function at one point."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator


@final
class JacobianOperator(AbstractLinearOperator):
    """v -> J v, where J is the Jacobian of `function` at `point`, by forward and reverse differentiation.

    function  maps (N, *in_shape) to (N, *out_shape) row by row: row i of the output depends on row i alone
    point     (*in_shape), float64
    """

    def __init__(self, function: Callable[[Tensor], Tensor], point: Tensor) -> None:
        self.function = function
        self.point = point.detach().to(torch.float64)
        with torch.no_grad():
            value = function(self.point[None])
        self.in_shape, self.out_shape = self.point.shape, Size(value.shape[1:])
        self.terms = max(self.in_size, self.out_size)
        self.device = self.point.device

    def apply(self, x: Tensor) -> Tensor:
        """J v, one forward pass of dual numbers for the batch."""
        pushed = torch.func.jvp(self.function, (self._spread(len(x)),), (x.contiguous(),))[1]
        assert isinstance(pushed, Tensor)
        return pushed

    def adjoint(self, y: Tensor) -> Tensor:
        """J' u, one backward pass for the batch."""
        point = self._spread(len(y)).requires_grad_()
        with torch.enable_grad():
            (pulled,) = torch.autograd.grad(self.function(point), point, y, allow_unused=True, materialize_grads=True)
        return pulled

    def _spread(self, count: int) -> Tensor:
        return self.point.expand(count, *self.point.shape).clone()
