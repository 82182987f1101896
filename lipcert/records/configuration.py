"""What configuration is in force, and where each part of it comes from: a document of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.check import Level
from lipcert.records.enclosure import Soundness

CONFIG_SCHEMA_VERSION = "1.0"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRecord:
    """The value of one option as it would be typed, "-" where there is none; `origin` says who gave it."""

    value: str
    origin: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRecord:
    """One check: what it asks of its metric, the weakest evidence that may pass, and the line that declares it."""

    id: str
    metric: str
    level: Level
    asked: str
    accept: Soundness
    origin: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredRecord:
    """A check that is not to gate on some models, and until which day, as in 2027-03-31."""

    check: str
    model: str
    reason: str
    expires: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigReport:
    """One run of `config show`; `path` is the file that was read, None where there is none."""

    schema: Literal["lipcert.config"] = "lipcert.config"
    schema_version: str = CONFIG_SCHEMA_VERSION
    path: str | None
    settings: Mapping[str, SettingRecord]
    checks: tuple[AskedRecord, ...]
    ignores: tuple[IgnoredRecord, ...]
