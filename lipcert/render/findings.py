"""What a build must hear of, for formats that list findings: failures, checks that hold it up, grave diagnostics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import final

from lipcert.records import CheckRecord, DiagnosticRecord, ErrorRecord, Level, ModelRecord, Report
from lipcert.render.wording.checks import gates, ordered
from lipcert.render.wording.identity import file_name, title

_LEVELS = ("error", "warning", "note")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at.

    rule   what it is a case of: a check's id, a diagnostic's id, an error's code
    model  the model's file name; `key` tells models of one name apart
    state  "fail", or why there is no verdict: "inconclusive", "skipped", "error"
    file   relative path of the file to look at, and its line; empty where no such file is known
    """

    rule: str
    model: str
    key: str
    level: Level
    state: str
    message: str
    hint: str
    metric: str = ""
    file: str = ""
    line: int = 1


def findings(report: Report) -> list[Finding]:
    """All findings, the gravest level first, in a stable order."""
    found = [_error(error) for error in report.errors]
    for model in report.models:
        found += [_check(check, model) for check in ordered(model) if gates(check)]
        found += _diagnostics(model)
    return sorted(found, key=lambda finding: _LEVELS.index(finding.level))


def _error(error: ErrorRecord) -> Finding:
    operators = f" [{', '.join(error.operators)}]" if error.operators else ""
    return Finding(
        rule=error.code,
        model=file_name(error.model),
        key=error.model,
        level="error",
        state="error",
        message=error.message + operators,
        hint=error.hint,
        file=relative(error.model),
    )


def _check(check: CheckRecord, model: ModelRecord) -> Finding:
    return Finding(
        rule=check.id,
        model=title(model),
        key=model.path or model.id,
        level=check.level,
        state=check.state,
        message=check.message,
        hint=check.hint,
        metric=check.metric,
        file=relative(check.source or "") or relative(model.path),
        line=max(check.line or 1, 1),
    )


def _diagnostics(model: ModelRecord) -> Iterator[Finding]:
    for item in model.diagnostics:
        if item.level != "note":
            yield _diagnostic(item, model)


def _diagnostic(item: DiagnosticRecord, model: ModelRecord) -> Finding:
    return Finding(
        rule=item.id,
        model=title(model),
        key=model.path or model.id,
        level=item.level,
        state="fail",
        message=item.message,
        hint=item.hint,
        file=relative(model.path),
    )


def relative(path: str) -> str:
    """`path` with forward slashes where it stays below the current folder; else its last part alone."""
    if not path:
        return ""
    windows = PureWindowsPath(path)
    plain = windows.as_posix() if windows.drive or "\\" in path else path
    parts = PurePosixPath(plain).parts
    inside = not PurePosixPath(plain).is_absolute() and not PureWindowsPath(plain).drive and ".." not in parts
    return str(PurePosixPath(*parts)) if inside else file_name(plain)
