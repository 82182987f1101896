"""The set of inputs a certificate speaks of: a ball around each sample, cut to the input range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from torch import Tensor

from lipcert.records import Norm
from lipcert.rounding import gamma
from lipcert.rules.interval import Interval, down, up
from lipcert.rules.relaxation import inner


@final
@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Points within eps of a clean sample in `norm`, and inside the input range where one is known.

    centre       (N, *input_shape), float64
    norm         of the ball
    eps          (N,), float64, >= 0; for linf also (N, *input_shape), a radius of each value's own
    input_range  (low, high) of all values. A clean value outside may stay where it is but goes no further out, as in
                 the balls that attacks search.
    """

    centre: Tensor
    norm: Norm
    eps: Tensor
    input_range: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.centre)

    def __getitem__(self, samples: Tensor | slice) -> Region:
        """The region of some of the samples."""
        return Region(self.centre[samples], self.norm, self.eps[samples], self.input_range)

    def interval(self) -> Interval:
        """The smallest box around each sample's region but for outward rounding."""
        own = self.eps.ndim == self.centre.ndim
        eps = self.eps if own else self.eps.reshape(-1, *[1] * (self.centre.ndim - 1))
        box = Interval(down(self.centre - eps), up(self.centre + eps))
        if self.input_range is None:
            return box
        low, high = self.input_range
        return box.intersect(Interval(self.centre.clamp_max(low), self.centre.clamp_min(high)))

    def lower(self, rows: Tensor) -> Tensor:
        """At most min <row, x> over the region, shape (N, S), for rows (N or 1, S, *input_shape)."""
        return self._box(rows, self.interval())

    def _box(self, rows: Tensor, box: Interval) -> Tensor:
        """<a, c> - <|a|, r>, less gamma_n (<|a|, |c| + r>) for the arithmetic."""
        centre, radius = box.centre, box.radius
        slack = gamma(math.prod(self.centre.shape[1:]) + 16)
        reach = (radius + slack * (centre.abs() + radius)) * (1 + 2 * slack)
        return inner(rows, centre) - inner(rows.abs(), reach)
