"""Models whose weights are not float32."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import final

import torch
from torch import Tensor

HALVES = (torch.float16, torch.bfloat16)


def weight_dtype(named: Mapping[str, Tensor]) -> torch.dtype:
    """The floating dtype that most of the weights are in; float32 where there are none."""
    counts: Counter[torch.dtype] = Counter()
    for tensor in named.values():
        if tensor.is_floating_point():
            counts[tensor.dtype] += tensor.numel()
    return counts.most_common(1)[0][0] if counts else torch.float32


@final
class CastInput:
    """A function of a float32 batch that computes in `dtype`, and gives float32."""

    def __init__(self, function: Callable[[Tensor], Tensor], dtype: torch.dtype) -> None:
        self.function = function
        self.dtype = dtype

    def __call__(self, batch: Tensor) -> Tensor:
        """Output of a batch, shape (N, ...)."""
        if self.dtype == torch.float32:
            return self.function(batch)
        return self.function(batch.to(self.dtype)).to(torch.float32)
