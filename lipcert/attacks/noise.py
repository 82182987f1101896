"""Random numbers of each sample's own."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Noise:
    """Random numbers of each sample's own, fixed by seed, stage, sample index and draw.

    What a sample draws depends neither on the batch it came in nor on which others are still under attack.
    """

    seed: int
    stage: str
    indices: tuple[int, ...]

    def normal(self, like: Tensor, draw: int) -> Tensor:
        """Standard normal numbers with the shape, dtype and device of `like`."""
        return self._fill(like, draw, lambda row, generator: row.normal_(generator=generator))

    def uniform(self, like: Tensor, draw: int) -> Tensor:
        """Uniform numbers in [0, 1) with the shape, dtype and device of `like`."""
        return self._fill(like, draw, lambda row, generator: row.uniform_(generator=generator))

    def rows(self, rows: Tensor) -> Noise:
        """The noise of some of these samples."""
        return dataclasses.replace(self, indices=tuple(self.indices[row] for row in rows.tolist()))

    def _fill(self, like: Tensor, draw: int, fill: Callable[[Tensor, torch.Generator], Tensor]) -> Tensor:
        # Always drawn on the CPU in float32: the same numbers on every device and in every dtype.
        numbers = torch.empty(like.shape, dtype=torch.float32)
        generator = torch.Generator()
        for row, index in zip(numbers, self.indices, strict=True):
            key = hashlib.blake2b(f"{self.seed}/{self.stage}/{index}/{draw}".encode(), digest_size=7).digest()
            fill(row, generator.manual_seed(int.from_bytes(key)))
        return numbers.to(device=like.device, dtype=like.dtype)
