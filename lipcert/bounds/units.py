"""Rows that touch one neuron each, before the first sum on their way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Size, Tensor


@final
@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Functionals of a value of some shape: row (n, s) is `scale[n, s]` times the neuron `index[n, s]`.

    index  (N, S), into the value in row-major order
    scale  (N, S)
    """

    index: Tensor
    scale: Tensor

    def inner(self, values: Tensor) -> Tensor:
        """<row, value>, shape (N, S), for values (N or 1, *shape)."""
        return self.scale * self.gather(values)

    def weigh(self, weights: Tensor) -> Tensor:
        """<|row|, weights>."""
        return self.scale.abs() * self.gather(weights)

    def gather(self, values: Tensor) -> Tensor:
        """What stands at the neurons."""
        return values.flatten(1).expand(len(self.index), -1).gather(1, self.index)

    def dense(self, shape: Size) -> Tensor:
        """The rows written out, (N, S, *shape)."""
        blank = self.scale.new_zeros(*self.index.shape, shape.numel())
        return blank.scatter(2, self.index.unsqueeze(2), self.scale.unsqueeze(2)).reshape(*self.index.shape, *shape)


def both_sides(index: Tensor) -> Units:
    """Rows e_i and then -e_i of the neurons (N, K): S = 2 K."""
    ones = torch.ones(index.shape, dtype=torch.float64, device=index.device)
    return Units(torch.cat([index, index], 1), torch.cat([ones, -ones], 1))
