"""The dense matrix of an operator."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.operators.base import AbstractLinearOperator


def materialise(operator: AbstractLinearOperator, *, chunk: int = 256) -> Tensor:
    """The (out_size, in_size) matrix, float64, from the operator's values at the unit vectors of its smaller side."""
    wide = operator.in_size > operator.out_size
    shape = operator.out_shape if wide else operator.in_shape
    side = shape.numel()
    blocks = []
    for start in range(0, side, chunk):
        count = min(chunk, side - start)
        units = torch.zeros(count, side, dtype=torch.float64, device=operator.device)
        units[torch.arange(count), torch.arange(start, start + count)] = 1.0
        units = units.reshape(count, *shape)
        blocks.append((operator.adjoint(units) if wide else operator.apply(units)).reshape(count, -1))
    rows = torch.cat(blocks)
    return rows if wide else rows.T
