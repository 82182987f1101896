"""What `lipcert report` does with its options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from lipcert.cli import outputs, values
from lipcert.cli.adversarials import read_sheet
from lipcert.errors import UsageError
from lipcert.records import Report
from lipcert.records.stored import parse_report, read_report


def run(given: dict[str, Any]) -> int:
    """Read the report, write it to every place asked for, and return 0."""
    color = values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"
    found = outputs.targets(given["format"], as_json=given["json"], output=given["output"], reports=given["report"])
    outputs.check(found, overwrite=given["overwrite"])
    sheet = _sheet(given["sheet"])
    outputs.deliver(_read(given["result"]), found, color=color, verbose=given["verbose"], sheet=sheet)
    return 0


def _sheet(path: Path | None) -> bytes | None:
    if path is None:
        return None
    found = read_sheet(path)
    if found is None:
        raise UsageError(
            f"{path} is no sheet of adversarial examples", hint="lipcert analyze --save-adversarials writes one"
        )
    return found


def _read(argument: str) -> Report:
    if argument == "-":
        if sys.stdin is None:
            raise UsageError("stdin is closed, a report was expected there")
        return parse_report(sys.stdin.buffer.read(), "stdin")
    path = Path(argument)
    if path.is_dir():
        raise UsageError(f"{argument} is a folder, a JSON report is needed")
    if not path.exists():
        raise UsageError(f"{argument} does not exist", hint="lipcert analyze MODEL --report json=FILE writes one")
    return read_report(path)
