"""What other samples from the same source might have given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRecord:
    """Intervals for what these attacks would reach on the population that the samples were drawn from.

    They tell of the draw of the samples alone. That a better attack might find more is another error, which has one
    side only and no interval: robust accuracy is at most, and robust loss at least, what was reached.

    robust_accuracy  exact binomial interval of the share that these attacks leave unbroken
    robust_loss      percentile bootstrap interval of the mean loss that they reach
    """

    samples: int
    confidence: float
    robust_accuracy: tuple[float, float]
    robust_loss: tuple[float, float]
    method: str = "Clopper-Pearson; percentile bootstrap"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRecord:
    """Two models on the same samples, each sample right or wrong for each model.

    p_value  probability, were both models equally often right where they differ, of a split at least as uneven
    """

    samples: int
    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float
    method: str = "exact McNemar, two-sided"
