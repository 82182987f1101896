"""Operators that are dense matrices side by side, as one stack."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.operators.base import AbstractLinearOperator
from lipcert.operators.blocks import BlockDiagonalOperator
from lipcert.operators.convolution import ConvolutionOperator
from lipcert.operators.dense import DenseOperator


def stack_shape(operator: AbstractLinearOperator) -> tuple[int, int, int] | None:
    """(blocks, rows, columns) of a dense operator or of dense blocks of one shape; None for any other operator."""
    match operator:
        case DenseOperator():
            return 1, operator.out_size, operator.in_size
        case BlockDiagonalOperator() if all(isinstance(block, DenseOperator) for block in operator.distinct):
            first = operator.distinct[0]
            return len(operator.distinct), first.out_size, first.in_size
    return None


def dense_stack(operator: AbstractLinearOperator) -> Tensor:
    """The distinct matrices, (blocks, rows, columns), with rows <= columns: transposed where they were tall."""
    blocks = operator.distinct if isinstance(operator, BlockDiagonalOperator) else (operator,)
    stack = torch.stack([block.weight for block in blocks if isinstance(block, DenseOperator)])
    return stack.mT if stack.shape[-2] > stack.shape[-1] else stack


def materialise_groups(operator: ConvolutionOperator) -> Tensor:
    """(groups, rows, columns): the matrix of each group, all groups in the same applications."""
    groups = operator.groups
    shape = (operator.in_shape[0] // groups, *operator.in_shape[1:])
    columns = operator.in_size // groups
    units = torch.eye(columns, dtype=torch.float64, device=operator.device).reshape(columns, *shape)
    parts = []
    step = max(1, 2**24 // max(operator.in_size, operator.out_size))
    for start in range(0, columns, step):
        chunk = units[start : start + step]
        spread = operator.apply(chunk.repeat(1, groups, *[1] * (len(shape) - 1)))
        parts.append(spread.reshape(len(chunk), groups, -1))
    return torch.cat(parts).permute(1, 2, 0)
