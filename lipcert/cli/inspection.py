"""What `lipcert inspect` does with its options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lipcert.cli import engine, models, outputs, streams, values
from lipcert.cli.error_document import error_record
from lipcert.cli.failures import INTERNAL, Failure, classify, is_internal, keep_traceback
from lipcert.cli.limits import limits
from lipcert.records import InspectRecord, InspectReport, codec
from lipcert.records.tool import tool_record
from lipcert.render.terminal.inspection import render_inspection


def run(given: dict[str, Any]) -> int:
    """Inspect every model meant, write what was found, and return the exit code."""
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    wanted = values.choice(given["format"], "--format", ("text", "json"))
    (target,) = outputs.targets(wanted, as_json=given["json"], output=given["output"], reports=None)
    outputs.check([target], overwrite=given["overwrite"])
    shape = values.shape(given["input_shape"], "--input-shape")
    records: list[InspectRecord] = []
    failures: list[Failure] = []
    for path in models.expand(given["model"]):
        found = _inspect(path, shape, given)
        if isinstance(found, Failure):
            failures.append(found)
        else:
            records.append(found)
    report = InspectReport(
        tool=tool_record(),
        models=tuple(records),
        exit_code=_exit_code(records, failures),
        errors=tuple(map(error_record, failures)),
    )
    outputs.put(_rendered(report, target, color), target)
    return report.exit_code


def _inspect(path: Path, shape: tuple[int, ...] | None, given: dict[str, Any]) -> InspectRecord | Failure:
    """What was found out about one file; whatever fails is about this file alone."""
    try:
        if not given["quiet"]:
            streams.say(models.first_line(path))
        isolated = not given["no_isolation"]
        return engine.inspect_file(path, shape, given["output_name"], limits=limits(given), isolated=isolated)
    except Exception as error:  # noqa: BLE001  one broken file must not hide the others
        failure = replace(classify(error), model=str(path))
        if is_internal(failure) and (log := keep_traceback(error)) is not None:
            return replace(failure, hint=f"the traceback is in {log}")
        return failure


def _exit_code(records: Sequence[InspectRecord], failures: Sequence[Failure]) -> int:
    """2 where a file needs another command line, else 3 where one is unreadable or blocked, else 0."""
    codes = {failure.exit_code for failure in failures}
    if codes:
        return min(codes)
    return INTERNAL if any(record.status == "blocked" for record in records) else 0


def _rendered(report: InspectReport, target: outputs.Target, color: str) -> str:
    if target.format == "json":
        return codec.to_json(report)
    return render_inspection(report, outputs.style_for(target, sys.stdout, color))
