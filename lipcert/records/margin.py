"""Margins of the clean samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from lipcert.records.distribution import Distribution


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRecord:
    """Margin = true-class logit minus the best other, in logit units; negative where the sample is misclassified.

    clean_loss         mean cross-entropy, in nats
    class_accuracy     accuracy within each true class; None for a class without samples
    """

    samples: int
    clean_accuracy: float
    clean_loss: float
    distribution: Distribution
    class_accuracy: tuple[float | None, ...]
