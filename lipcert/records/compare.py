"""What `compare` found between two reports: a document of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.check import ErrorRecord
from lipcert.records.enclosure import Soundness
from lipcert.records.provenance import ToolRecord
from lipcert.records.sampling import PairedRecord

COMPARE_SCHEMA_VERSION = "1.0"

ChangeVerdict = Literal["better", "worse", "changed", "maybe_better", "maybe_worse", "maybe_changed", "same"]
VERDICTS: tuple[ChangeVerdict, ...] = (
    "worse",
    "better",
    "changed",
    "maybe_worse",
    "maybe_better",
    "maybe_changed",
    "same",
)
"""What to look at first."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EndsRecord:
    """What one report knows of a number: its two ends, equal where it is known exactly.

    interval  in which the population's number lies at 95 %; None where it is no sample's
    """

    lower: float | None
    upper: float | None
    soundness: Soundness
    interval: tuple[float, float] | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRecord:
    """One number in both reports.

    verdict   "better", "worse", "changed": by more than what is known of it leaves open; with "maybe_" before it where
              enclosures or intervals overlap; "same" where nothing moved
    reason    why the verdict is sure, or why it is not, in words
    headline  whether it is one of the few that a gate looks at
    p_value   of the exact McNemar test, where both models' samples were compared one by one
    """

    metric: str
    before: EndsRecord
    after: EndsRecord
    better: Literal["higher", "lower"] | None
    verdict: ChangeVerdict
    reason: str
    headline: bool = False
    p_value: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PairedChangeRecord:
    """Two models on the same samples: right or wrong, proved or not, broken or not, one by one."""

    metric: str
    counts: PairedRecord


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelComparison:
    """One model before and after; the same file where the digests agree.

    compared  numbers that stand in both reports
    changes   those that moved, and the headline ones in any case, gravest first
    gone, new ids of headline numbers that stand in one report alone
    """

    before: str
    after: str
    before_sha256: str
    after_sha256: str
    compared: int
    changes: tuple[ChangeRecord, ...]
    paired: tuple[PairedChangeRecord, ...] = ()
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SideRecord:
    """One of the two things compared: a report, or a model analysed for the purpose."""

    path: str
    kind: Literal["report", "model"]
    version: str
    models: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CompareReport:
    """One run of `compare`.

    differences  what makes the two incomparable, in words; `forced` tells that they were compared all the same
    unmatched    models that stand on one side alone
    gate         over the headline numbers: "fail" where one is worse by more than --fail-on allows, "inconclusive"
                 where one or a model is gone, "none" without --fail-on
    """

    schema: Literal["lipcert.compare"] = "lipcert.compare"
    schema_version: str = COMPARE_SCHEMA_VERSION
    tool: ToolRecord
    before: SideRecord
    after: SideRecord
    models: tuple[ModelComparison, ...]
    differences: tuple[str, ...] = ()
    forced: bool = False
    notes: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    gate: Literal["pass", "fail", "inconclusive", "none"] = "none"
    exit_code: int
    errors: tuple[ErrorRecord, ...] = ()
