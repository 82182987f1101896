"""The arithmetic a network is deployed in, as far as bounds must know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from lipcert.rounding import gamma

DeployDtype = Literal["real", "float32", "bfloat16"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Unit roundoffs of one arithmetic: |fl(a op b) - (a op b)| <= unit |a op b|.

    accumulate  of sums of products; bfloat16 units are taken to add up in float32
    store       of every value that is written, and of constants and inputs as they are read

    dtype       numbers that are stored; None for real ones

    Sums of products may be taken in any order, fused or not. What is not modelled: TF32, Winograd and FFT
    convolutions, whose results are no sums of the products of the definition, and the flushing of denormal numbers.
    """

    accumulate: float
    store: float
    dtype: torch.dtype | None = None

    def dot(self, terms: int) -> float:
        """Relative error of a sum of `terms` products and a bias, against the sum of their absolute values."""
        if self.store == self.accumulate:
            return gamma(terms + 2, self.store) if self.store else 0.0
        added, stored = gamma(terms + 2, self.accumulate), gamma(4, self.store)  # two constants read, one value written
        return (added + stored + added * stored) * (1 + 2.0**-50)

    def steps(self, operations: int) -> float:
        """Relative error of so many chained operations, each of whose results is written."""
        return gamma(operations, self.store) if self.store else 0.0

    def misread(self, constant: Tensor) -> Tensor:
        """How far each float64 constant is from the number that is stored in its place."""
        if self.dtype is None:
            return torch.zeros_like(constant)
        moved: Tensor = (constant.to(self.dtype).to(constant.dtype) - constant).abs()
        return moved.nan_to_num(nan=0.0)  # an infinite one stays what it is


DEPLOYMENTS: dict[DeployDtype, Deployment] = {
    "real": Deployment(accumulate=0.0, store=0.0),
    "float32": Deployment(accumulate=2.0**-24, store=2.0**-24, dtype=torch.float32),
    "bfloat16": Deployment(accumulate=2.0**-24, store=2.0**-8, dtype=torch.bfloat16),
}
