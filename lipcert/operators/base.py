"""What every linear map offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Size, Tensor

Power = Literal[1, 2]


class AbstractLinearOperator(ABC):
    """A linear map between tensors of fixed shapes, computed in float64.

    in_shape   shape of one input, without the batch axis
    out_shape  shape of one output, without the batch axis
    terms      at least the number of rounded operations behind one entry of `apply` or `adjoint`: with
               g = gamma(terms), |fl(A x) - A x| <= g |A| |x| entry by entry, and likewise for the adjoint
    device     where the operator's numbers live
    mixed      `apply` and `adjoint` also take float32 and answer in it, faster; for estimates, never for a bound
    depth      how many operators stand one after another; an entry of the matrix has that many factors
    """

    in_shape: Size
    out_shape: Size
    terms: int
    device: torch.device
    mixed: bool = False
    depth: int = 1

    @abstractmethod
    def apply(self, x: Tensor) -> Tensor:
        """A x for each x of a batch: (N, *in_shape) -> (N, *out_shape)."""

    @abstractmethod
    def adjoint(self, y: Tensor) -> Tensor:
        """A' y for each y of a batch: (N, *out_shape) -> (N, *in_shape)."""

    def powered(self, power: Power) -> AbstractLinearOperator:
        """The operator whose matrix holds |a|^power at each entry a. Raises NotImplementedError if they are unknown."""
        raise NotImplementedError(f"{type(self).__name__} does not know its entries (asked for power {power})")

    def majorant(self) -> AbstractLinearOperator:
        """An operator with entries of at least |a| each, by whose |A| |x| the rounding of `apply` is bounded."""
        return self.powered(1)

    @property
    def in_size(self) -> int:
        """Numbers in one input."""
        return self.in_shape.numel()

    @property
    def out_size(self) -> int:
        """Numbers in one output."""
        return self.out_shape.numel()

    @property
    def work(self) -> float:
        """Multiplications of one application, roughly; methods weigh their cost with it."""
        return float(self.terms) * max(self.in_size, self.out_size)
