"""What `lipcert inspect` does with its options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lipcert.cli import engine, models, outputs, streams, values
from lipcert.cli.error_document import error_record
from lipcert.cli.failures import AboutModelError, classify
from lipcert.errors import ModelError
from lipcert.records import ErrorRecord, InspectRecord, InspectReport, codec
from lipcert.records.tool import tool_record
from lipcert.render.terminal import render_inspection


def run(given: dict[str, Any]) -> int:
    """Inspect every model meant, write what was found, and return the exit code."""
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    wanted = values.choice(given["format"], "--format", ("text", "json"))
    (target,) = outputs.targets(wanted, as_json=given["json"], output=given["output"], reports=None)
    outputs.check([target], overwrite=given["overwrite"])
    shape = values.shape(given["input_shape"], "--input-shape")
    records: list[InspectRecord] = []
    errors: list[ErrorRecord] = []
    for path in models.expand(given["model"]):
        try:
            if not given["quiet"]:
                streams.say(models.first_line(path))
            records.append(_inspect(path, shape, given["output_name"]))
        except ModelError as error:
            errors.append(error_record(replace(classify(error), model=str(path))))
    report = InspectReport(
        tool=tool_record(), models=tuple(records), exit_code=_exit_code(records, errors), errors=tuple(errors)
    )
    outputs.put(_rendered(report, target, color), target)
    return report.exit_code


def _inspect(path: Path, shape: tuple[int, ...] | None, output_name: str | None) -> InspectRecord:
    try:
        return engine.inspect_file(path, shape, output_name)
    except ModelError:
        raise
    except Exception as error:
        raise AboutModelError(str(path)) from error


def _exit_code(records: Sequence[InspectRecord], errors: Sequence[ErrorRecord]) -> int:
    """3 where any file is unreadable or blocked, else 0."""
    return 3 if errors or any(record.status == "blocked" for record in records) else 0


def _rendered(report: InspectReport, target: outputs.Target, color: str) -> str:
    if target.format == "json":
        return codec.to_json(report)
    return render_inspection(report, outputs.style_for(target, sys.stdout, color))
