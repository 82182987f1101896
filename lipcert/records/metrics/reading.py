"""What a report says about one metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.enclosure import Soundness
from lipcert.records.metrics.identity import MetricId
from lipcert.records.skipped import Skipped


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A number known from both sides, or the reason why there is none.

    lower, upper  the ends, equal where the number is known; None where an end does not exist
    soundness     of the upper end, and of the lower one where `one_sided` is "upper"
    reported      the number that stands in the report, where it is one number
    samples       over which it is a mean or a share; None where it is about the model alone
    interval      in which the population's number lies, at 95 %, where the report says so
    method        how the ends were had
    skipped       stands for the number where it could not be had
    """

    id: MetricId
    lower: float | None = None
    upper: float | None = None
    soundness: Soundness = Soundness.EXACT
    failure_probability: float = 0.0
    reported: float | None = None
    samples: int | None = None
    interval: tuple[float, float] | None = None
    method: str = ""
    skipped: Skipped | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What looking up a metric gives.

    state     "present": every match is in `readings`; "skipped": it was asked for and could not be had; "absent": it
              was not asked for, or nothing in the report matches
    readings  several where the id leaves open which: all layers, all radii
    reason    why it is skipped or absent
    """

    state: Literal["present", "skipped", "absent"]
    readings: tuple[Reading, ...] = ()
    reason: str = ""
