"""What a configuration says, after reading: settings, checks, overrides and ignores, each with its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, final

from lipcert.records import Level, Soundness
from lipcert.records.metrics import Better, MetricId

FailOn = Literal["error", "warning", "never"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value for a command-line option, spelled as it would be typed, and where it stands.

    value  one string, a list of them, or True for a flag
    """

    value: str | tuple[str, ...] | bool
    source: str
    line: int | None = None

    def place(self) -> str:
        """file:line."""
        return self.source if self.line is None else f"{self.source}:{self.line}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How much worse than the baseline a number may be: `amount` in its own units, or a share of the baseline."""

    amount: float
    relative: bool
    text: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RawCheck:
    """A check as it stands in the file: keys and values, and where. Overrides are merged key by key."""

    table: Mapping[str, Any]
    source: str
    line: int | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One assertion, ready to be judged.

    metric  with the selectors given; where several numbers match, each of them must meet it
    accept  the weakest evidence that may pass
    """

    id: str
    metric: MetricId
    level: Level
    minimum: float | None = None
    maximum: float | None = None
    regression: Tolerance | None = None
    better: Better | None = None
    accept: Soundness = Soundness.PROBABILISTIC
    source: str | None = None
    line: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreSpec:
    """A check that is not to gate on some models, for a reason and up to a day, that day included."""

    check: str
    model: str
    reason: str
    expires: date | None
    source: str
    line: int | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What holds for models whose path matches a glob pattern, on top of the rest."""

    pattern: str
    options: Mapping[str, Setting]
    checks: Mapping[str, RawCheck]
    line: int | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration; empty where there is no file.

    path     as given; None without a file
    options  settings by option name: "data", "mean", "effort", "fail_on", "baseline", ...
    checks   by id, presets below the file's own
    """

    path: str | None = None
    presets: tuple[str, ...] = ()
    options: Mapping[str, Setting] = field(default_factory=dict)
    checks: Mapping[str, RawCheck] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    ignores: tuple[IgnoreSpec, ...] = ()
