"""The spread of one quantity over the samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Summary of a quantity over `samples` samples.

    ci95           bootstrap 95 % interval of the mean
    counts         a histogram in equal bins over [min, max], for a picture
    quantile_ci95  95 % intervals of the population's q05, median and q95 from order statistics; a quantile is missing
                   where the samples are too few for it
    """

    samples: int
    mean: float
    std: float
    min: float
    q05: float
    median: float
    q95: float
    max: float
    ci95: tuple[float, float]
    counts: tuple[int, ...]
    quantile_ci95: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ordered = (self.min, self.q05, self.median, self.q95, self.max)
        if list(ordered) != sorted(ordered):
            raise ValueError(f"quantiles are not in order: {ordered}")
        if self.ci95[0] > self.ci95[1]:
            raise ValueError(f"interval is reversed: {self.ci95}")
