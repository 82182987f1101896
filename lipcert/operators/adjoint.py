"""The adjoint of an operator, as an operator."""

from __future__ import annotations

from typing import final

from torch import Tensor

from lipcert.operators.base import AbstractLinearOperator, Power


@final
class AdjointOperator(AbstractLinearOperator):
    """y -> A' y. A transposed convolution is the adjoint of a convolution."""

    def __init__(self, inner: AbstractLinearOperator) -> None:
        self.inner = inner
        self.in_shape, self.out_shape = inner.out_shape, inner.in_shape
        self.terms, self.device, self.mixed = inner.terms, inner.device, inner.mixed
        self.depth = inner.depth

    def apply(self, x: Tensor) -> Tensor:
        """Adjoint of the inner operator."""
        return self.inner.adjoint(x)

    def adjoint(self, y: Tensor) -> Tensor:
        """The inner operator itself."""
        return self.inner.apply(y)

    def powered(self, power: Power) -> AdjointOperator:
        """Adjoint of the inner operator's powers."""
        return AdjointOperator(self.inner.powered(power))

    def majorant(self) -> AdjointOperator:
        """Adjoint of the inner operator's."""
        return AdjointOperator(self.inner.majorant())
