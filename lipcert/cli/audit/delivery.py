"""Where the leaderboard goes: stdout and files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lipcert.audit.parquet import write_parquet
from lipcert.cli import outputs, streams, values
from lipcert.cli.outputs import Target
from lipcert.errors import UsageError
from lipcert.records.audit import AuditReport
from lipcert.render.audit import AUDIT_FORMATS, render_audit

FORMATS = (*AUDIT_FORMATS, "parquet")
_SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".parquet": "parquet",
}


def targets(given: dict[str, Any]) -> tuple[Target, ...]:
    """What -f, --json, -o and --report ask for, checked before any work is done."""
    if given["json"] and given["format"] not in {None, "json"}:
        raise UsageError(f"--json and -f {given['format']} contradict each other")
    named = "json" if given["json"] else values.choice(given["format"], "--format", FORMATS)
    path = None if given["output"] is None or str(given["output"]) == "-" else given["output"]
    guessed = "text" if path is None else _SUFFIXES.get(path.suffix.lower(), "text")
    found = (Target(format=named or guessed, path=path), *(_report(entry) for entry in given["report"] or ()))
    if any(target.format == "parquet" and target.path is None for target in found):
        raise UsageError("a Parquet table needs a file", hint="name one with -o zoo.parquet")
    outputs.check([target for target in found if target.format not in {"csv", "jsonl"}], overwrite=given["replace"])
    return found


def _report(entry: str) -> Target:
    name, equals, path = entry.partition("=")
    if not equals or not path:
        raise UsageError(f"--report needs FORMAT=FILE, got {entry!r}", hint="for example --report html=zoo.html")
    return Target(format=values.choice(name, "--report", FORMATS) or "text", path=None if path == "-" else Path(path))


def deliver(report: AuditReport, found: Sequence[Target], *, color: str) -> None:
    """Write the leaderboard to every target, files first."""
    for target in sorted(found, key=lambda target: target.path is None):
        if target.format == "parquet" and target.path is not None:
            write_parquet(report, target.path)
            continue
        style = outputs.style_for(target, sys.stdout, color)
        outputs.put(render_audit(report, target.format, style), target)


def color(given: dict[str, Any]) -> str:
    """Whether colours are wanted, as typed."""
    return values.choice(given["color"], "--color", ("auto", "always", "never")) or "auto"


def say(given: dict[str, Any], text: str) -> None:
    """A message on stderr, unless it is to be quiet."""
    if not given["quiet"]:
        streams.say(text)
