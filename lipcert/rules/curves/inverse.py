"""Where a slope without a closed inverse takes a given value."""

from __future__ import annotations

from functools import lru_cache
from typing import final

import torch
from torch import Tensor

from lipcert.rules.curves.curve import Bend, Function

_POINTS = 4097
_CORRECTIONS = 2
# Beyond this the slopes of all curves that need a table are constant to the last digit.
_FLAT = 40.0


@final
class InverseSlope:
    """A table of a monotone slope, read off by interpolation and corrected by a few secant steps.

    Answers err by about 1e-10; no bound relies on them.
    """

    def __init__(self, slope: Function, bend: Bend, ends: tuple[float, float]) -> None:
        self.slope = slope
        self.bend = bend
        self.ends = (max(ends[0], -_FLAT), min(ends[1], _FLAT))
        self._table = lru_cache(maxsize=4)(self._tabulated)

    def _tabulated(self, device: torch.device) -> tuple[Tensor, Tensor]:
        places = torch.linspace(*self.ends, _POINTS, dtype=torch.float64, device=device)
        return places, torch.cummax(float(self.bend) * self.slope(places), 0).values

    def __call__(self, k: Tensor) -> Tensor:
        """X with slope(x) about k; the nearer end where there is none."""
        places, slopes = self._table(k.device)
        wanted = float(self.bend) * k
        index = torch.searchsorted(slopes, wanted.contiguous()).clamp(1, _POINTS - 1)
        before, after = slopes[index - 1], slopes[index]
        step = (self.ends[1] - self.ends[0]) / (_POINTS - 1)
        per_slope = step / (after - before).clamp_min(1e-300)
        left = places[index - 1]
        at = left + ((wanted - before) * per_slope).clamp(0.0, step)
        for _ in range(_CORRECTIONS):
            moved = at + (wanted - float(self.bend) * self.slope(at)) * per_slope
            at = torch.minimum(torch.maximum(moved, left), left + step)
        return at
