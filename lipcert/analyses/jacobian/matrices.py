"""Many matrices with what is read off each of them once: norms of rows and columns, the Gram matrix, the spectrum."""

from __future__ import annotations

import math
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import vector_norm


@final
class Matrices:
    """J of shape (N, K, D), float64. Every pass over all entries is made once, however many norms it serves."""

    def __init__(self, entries: Tensor) -> None:
        self.entries = entries
        self._norms: dict[tuple[float, int], Tensor] = {}

    @cached_property
    def absolute(self) -> Tensor:
        """|J_kj|, (N, K, D)."""
        return self.entries.abs()

    @cached_property
    def largest(self) -> Tensor:
        """The largest |J_kj|, (N,)."""
        return vector_norm(self.columns(math.inf), math.inf)

    @cached_property
    def gram(self) -> Tensor:
        """The smaller of JJ' and J'J."""
        wide = self.entries.shape[1] <= self.entries.shape[2]
        return self.entries @ self.entries.mT if wide else self.entries.mT @ self.entries

    @cached_property
    def spectrum(self) -> Tensor:
        """Singular values, largest first, (N, min(K, D)): square roots of the eigenvalues of the smaller Gram matrix.

        They are good to about 1e-8 of the largest, and the largest itself to a few units in the last place.
        """
        eigenvalues: Tensor = torch.linalg.eigvalsh(self.gram)
        return eigenvalues.clamp_min(0).sqrt().flip(1)

    def rows(self, exponent: float) -> Tensor:
        """||row_k||, (N, K)."""
        return self._along(exponent, 2)

    def columns(self, exponent: float) -> Tensor:
        """||column_j||, (N, D)."""
        return self._along(exponent, 1)

    def _along(self, exponent: float, axis: int) -> Tensor:
        key = (exponent, axis)
        if key not in self._norms:
            self._norms[key] = self._computed(exponent, axis)
        return self._norms[key]

    def _computed(self, exponent: float, axis: int) -> Tensor:
        if math.isinf(exponent):
            return self.absolute.amax(dim=axis)
        return self.absolute.sum(dim=axis) if exponent == 1 else vector_norm(self.entries, exponent, dim=axis)
