"""What `lipcert compare` does with its options. Two reports are compared without torch."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, final

from lipcert.cli import outputs, values
from lipcert.cli.failures import about
from lipcert.errors import DataError, UsageError
from lipcert.pipeline.per_sample_format import is_binary
from lipcert.policy import Config, FailOn, compare_reports, differences, load_config, read_rows, settings_for
from lipcert.policy.paired import Row
from lipcert.records import Report
from lipcert.records.compare import SideRecord
from lipcert.records.stored import read_report
from lipcert.render.comparison import FORMATS, render_comparison


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A or B, read or analysed; `rows` are its samples one by one, where they are known."""

    path: str
    kind: Literal["report", "model"]
    report: Report
    rows: tuple[Row, ...] = ()

    def record(self) -> SideRecord:
        return SideRecord(
            path=self.path, kind=self.kind, version=self.report.tool.version, models=len(self.report.models)
        )


def run(given: dict[str, Any]) -> int:
    """Compare A and B, write the result, and return the exit code."""
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    found = outputs.targets(
        given["format"], as_json=given["json"], output=given["output"], reports=given["report"], known=FORMATS
    )
    outputs.check(found, overwrite=given["overwrite"])
    level: Any = values.choice(given["fail_on"], "--fail-on", ("error", "warning", "never")) or "never"
    tables = _tables(given["per_sample"])
    before, after = (_side(given[name], given) for name in ("before", "after"))
    apart = differences(before.report, after.report)
    if apart and not given["force"]:
        raise UsageError(
            f"{before.path} and {after.path} are not comparable: {'; '.join(apart)}",
            hint="analyse both with the same data and settings, or --force to compare all the same",
        )
    rows = tables or ((before.rows, after.rows) if before.rows and after.rows else None)
    fail_on: FailOn = level
    report = compare_reports(
        before.report,
        after.report,
        sides=(before.record(), after.record()),
        rows=rows,
        fail_on=fail_on,
        forced=given["force"],
    )
    if given["exit_zero"] and report.exit_code == 1:
        report = replace(report, exit_code=0)
    for target in sorted(found, key=lambda target: target.path is None):
        style = replace(outputs.style_for(target, sys.stdout, color), verbose=given["verbose"])
        outputs.put(render_comparison(report, target.format, style, full=given["all"]), target)
    return report.exit_code


def _tables(given: list[str] | None) -> tuple[list[Row], list[Row]] | None:
    paths = [Path(text) for text in values.items(given, "--per-sample")]
    if not paths:
        return None
    if len(paths) != 2:
        raise UsageError(
            f"--per-sample needs two tables, one for A and one for B, got {len(paths)}",
            hint="--per-sample a.jsonl --per-sample b.jsonl",
        )
    return _rows(paths[0]), _rows(paths[1])


def _rows(path: Path) -> list[Row]:
    """The rows of a table: of text by themselves, else through numpy or pyarrow."""
    if not is_binary(path):
        return read_rows(path)
    found: list[Row] = import_module("lipcert.pipeline.per_sample_reading").read_binary(path)
    return found


def _side(argument: str, given: Mapping[str, Any]) -> _Side:
    """Read a report; analyse what is a model."""
    path = Path(argument)
    if path.is_dir():
        raise UsageError(f"{argument} is a folder, a report or a model is needed")
    if not path.is_file():
        raise UsageError(f"{argument} does not exist", hint="A and B are JSON reports or models")
    if _is_text_object(path):
        report = read_report(path)
        if not report.models:
            raise DataError(f"{argument} holds no model: {_first_error(report)}")
        return _Side(path=argument, kind="report", report=report)
    return _analyzed(argument, given)


def _is_text_object(path: Path) -> bool:
    """Whether a file is JSON to all appearances; no model begins like that."""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip()[:1] in {b"{", b"["}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _first_error(report: Report) -> str:
    return report.errors[0].message if report.errors else "nothing was analysed"


def _analyzed(argument: str, given: Mapping[str, Any]) -> _Side:
    """Analyse a model with the options given, its samples one by one as well."""
    from lipcert.cli.analysis import request_for, watched
    from lipcert.cli.configured import completed

    config: Config = load_config(given["config"])
    options = completed(given, settings_for(config, argument)) | {"model": argument, "per_sample": None}
    with tempfile.TemporaryDirectory() as folder, about(argument):
        table = Path(folder) / "rows.jsonl" if options["data"] is not None else None
        request = request_for({**options, "per_sample": table})
        report = watched(request, options)
        rows = tuple(read_rows(table)) if table is not None and table.exists() else ()
    return _Side(path=argument, kind="model", report=report, rows=rows)
