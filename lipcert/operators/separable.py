"""Maps that act on each axis by a small matrix: a Kronecker product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power


@final
class SeparableOperator(AbstractLinearOperator):
    """x -> (F_1 (x) ... (x) F_d) x: factor F_a, a matrix (out_a, in_a), acts on axis a; None leaves the axis alone.

    Average pooling, means, interpolation and matrix products with a constant all have this form.
    """

    def __init__(self, factors: Sequence[Tensor | None], in_shape: Size) -> None:
        if len(factors) != len(in_shape):
            raise ValueError(f"{len(factors)} factors for {len(in_shape)} axes of {tuple(in_shape)}")
        self.factors = tuple(None if f is None else f.detach().to(torch.float64) for f in factors)
        for axis, (factor, size) in enumerate(zip(self.factors, in_shape, strict=True)):
            if factor is not None and (factor.ndim != 2 or factor.shape[1] != size):
                raise ValueError(f"factor {axis} of shape {tuple(factor.shape)} does not fit an axis of {size}")
        self.in_shape = in_shape
        self.out_shape = Size(s if f is None else f.shape[0] for f, s in zip(self.factors, in_shape, strict=True))
        self.terms = max(1, sum(max(f.shape) + 1 for f in self.factors if f is not None))
        self.device = next((f.device for f in self.factors if f is not None), torch.device("cpu"))

    def apply(self, x: Tensor) -> Tensor:
        """Each factor along its axis, in turn."""
        for axis, factor in enumerate(self.factors, start=1):
            if factor is not None:
                x = (x.movedim(axis, -1) @ factor.T).movedim(-1, axis)
        return x

    def adjoint(self, y: Tensor) -> Tensor:
        """Each transposed factor along its axis."""
        for axis, factor in enumerate(self.factors, start=1):
            if factor is not None:
                y = (y.movedim(axis, -1) @ factor).movedim(-1, axis)
        return y

    def powered(self, power: Power) -> SeparableOperator:
        """Powers of the factors, since the entries are products of theirs."""
        return SeparableOperator([None if f is None else f.abs() ** power for f in self.factors], self.in_shape)
