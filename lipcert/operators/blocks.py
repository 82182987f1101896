"""Independent operators side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power


@final
class BlockDiagonalOperator(AbstractLinearOperator):
    """(x_1, ..., x_B) -> (A_1 x_1, ..., A_B x_B) along a first axis of length B.

    A block may stand several times, as the same object: a layer applied to every token is one block repeated.
    """

    def __init__(self, blocks: Sequence[AbstractLinearOperator]) -> None:
        self.blocks = tuple(blocks)
        self.distinct = tuple(dict.fromkeys(self.blocks))
        shapes = {(block.in_shape, block.out_shape) for block in self.distinct}
        if len(shapes) != 1:
            raise ValueError(f"blocks must be one or more of one shape, got {len(shapes)} shapes")
        self.in_shape = Size((len(self.blocks), *self.blocks[0].in_shape))
        self.out_shape = Size((len(self.blocks), *self.blocks[0].out_shape))
        self.terms = max(block.terms for block in self.distinct)
        self.depth = max(block.depth for block in self.distinct)
        self.device = self.blocks[0].device

    def apply(self, x: Tensor) -> Tensor:
        """Each block on its own slice."""
        if len(self.distinct) == 1:
            return self.blocks[0].apply(x.flatten(0, 1)).reshape(-1, *self.out_shape)
        return torch.stack([block.apply(x[:, i]) for i, block in enumerate(self.blocks)], dim=1)

    def adjoint(self, y: Tensor) -> Tensor:
        """Each block's adjoint on its own slice."""
        if len(self.distinct) == 1:
            return self.blocks[0].adjoint(y.flatten(0, 1)).reshape(-1, *self.in_shape)
        return torch.stack([block.adjoint(y[:, i]) for i, block in enumerate(self.blocks)], dim=1)

    def powered(self, power: Power) -> BlockDiagonalOperator:
        """Blocks of powers."""
        made = {block: block.powered(power) for block in self.distinct}
        return BlockDiagonalOperator([made[block] for block in self.blocks])

    def majorant(self) -> BlockDiagonalOperator:
        """Blocks of majorants."""
        made = {block: block.majorant() for block in self.distinct}
        return BlockDiagonalOperator([made[block] for block in self.blocks])
