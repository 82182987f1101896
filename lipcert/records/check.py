"""Findings about a run that are not measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

Level = Literal["note", "warning", "error"]


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
