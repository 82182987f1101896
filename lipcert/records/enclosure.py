"""A number known from both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from lipcert.errors import EnclosureError


class Soundness(StrEnum):
    """How far a number can be trusted; the same five words everywhere.

    proved         the upper end holds with float64 rounding accounted for
    exact          closed form or exhaustive, to the stated float error
    probabilistic  true with probability 1 - failure_probability
    estimate       converges to the quantity, from a known side
    heuristic      none of these
    """

    PROVED = "proved"
    EXACT = "exact"
    PROBABILISTIC = "probabilistic"
    ESTIMATE = "estimate"
    HEURISTIC = "heuristic"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """`lower <= quantity <= upper`, for a quantity that is not negative.

    `lower` has a witness; `upper` has the evidence named by `soundness` and `method`. An upper end that does
    not exist is None with `unbounded` True. Raises EnclosureError when the ends contradict each other.
    """

    lower: float
    upper: float | None
    unbounded: bool = False
    soundness: Soundness
    failure_probability: float = 0.0
    method: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lower) and self.lower >= 0):
            raise EnclosureError(f"lower end {self.lower} of {self.method} is not a finite number >= 0")
        if self.unbounded != (self.upper is None):
            raise EnclosureError(f"upper end {self.upper} and unbounded={self.unbounded} disagree in {self.method}")
        if self.upper is not None and not (math.isfinite(self.upper) and self.lower <= self.upper):
            raise EnclosureError(f"lower end {self.lower!r} is above upper end {self.upper!r} in {self.method}")

    @property
    def gap(self) -> float:
        """Relative width (upper - lower) / lower; infinite when unbounded or when only the upper end is positive."""
        if self.upper is None:
            return math.inf
        if self.upper == self.lower:
            return 0.0
        return (self.upper - self.lower) / self.lower if self.lower else math.inf
