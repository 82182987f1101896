"""Findings about a run that are not measurements, and the checks of a gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.enclosure import Soundness

Level = Literal["note", "warning", "error"]
CheckState = Literal["pass", "fail", "skipped", "inconclusive", "error"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticRecord:
    """Something a reader must know before believing the numbers. `id` is stable: "data.preprocessing", ..."""

    id: str
    level: Level
    message: str
    hint: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRecord:
    """A failure as data. `code` is that of the error class; `phase` the step that failed."""

    model: str
    code: str
    phase: str
    message: str
    hint: str = ""
    operators: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """One assertion of a configuration on one model, and what came of it. Only "pass" counts as passed.

    id            the name the configuration gives it
    metric        id of the number it is about: `certificates.certified_accuracy[norm=linf,eps=2/255]`
    level         how grave a failure is
    state         "pass" and "fail" are sure; "inconclusive": the enclosure straddles the threshold; "skipped": the
                  number is not there; "error": the model could not be concluded on
    lower, upper  the number's two ends, equal where it is known exactly; None where an end does not exist
    soundness     of the number; None where there is none
    minimum, maximum, regression
                  what was asked: a least value, a greatest value, the most it may worsen ("0.01" or "1%")
    baseline      the number before, where there is a baseline
    message       what was found, in words
    ignored       the reason the configuration gives for ignoring it; an ignored check gates nothing
    expires       the last day of the ignore, as YYYY-MM-DD
    source, line  where the configuration declares it, the path as it was given
    """

    id: str
    metric: str
    level: Level
    state: CheckState
    lower: float | None = None
    upper: float | None = None
    soundness: Soundness | None = None
    minimum: float | None = None
    maximum: float | None = None
    regression: str | None = None
    baseline: float | None = None
    message: str
    hint: str = ""
    ignored: str | None = None
    expires: str | None = None
    source: str | None = None
    line: int | None = None
