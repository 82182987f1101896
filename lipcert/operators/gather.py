"""Outputs that are copies of inputs: padding by reflection or around, cropping, upsampling to the nearest."""

from __future__ import annotations

from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power


@final
class GatherOperator(AbstractLinearOperator):
    """y_i = x_{index_i}, or 0 where the index is -1; each row of the matrix has one 1 or none.

    index   one number an output, shape (*out_shape), into the input in row-major order
    copies  the largest number of outputs that copy one input; the spectral norm is its root
    """

    def __init__(self, index: Tensor, in_shape: Size) -> None:
        self.index = index.flatten().long()
        self.in_shape, self.out_shape = in_shape, index.shape
        inside = self.index[self.index >= 0]
        if inside.numel() and int(inside.max()) >= self.in_size:
            raise ValueError(f"index {int(inside.max())} is outside an input of {self.in_size} numbers")
        self.copies = int(torch.bincount(inside).max()) if inside.numel() else 0
        self.terms = max(1, self.copies)
        self.device, self.mixed = index.device, True

    def apply(self, x: Tensor) -> Tensor:
        """Copies; the place after the last input holds the zero."""
        flat = torch.nn.functional.pad(x.flatten(1), (0, 1))
        return flat[:, self.index].reshape(-1, *self.out_shape)

    def adjoint(self, y: Tensor) -> Tensor:
        """The copies of each input added up."""
        flat = torch.zeros(len(y), self.in_size + 1, dtype=y.dtype, device=y.device)
        flat.index_add_(1, self.index % (self.in_size + 1), y.flatten(1))
        return flat[:, :-1].reshape(-1, *self.in_shape)

    def powered(self, _power: Power) -> GatherOperator:
        """Itself: its entries are 0 and 1."""
        return self

    @property
    def work(self) -> float:
        """One copy an output."""
        return float(self.out_size)
