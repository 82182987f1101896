"""Where results go: stdout and files, written whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO, final

from lipcert.cli import streams, values
from lipcert.cli.job_summary import append_job_summary
from lipcert.cli.places import check_place
from lipcert.errors import UsageError
from lipcert.pipeline.whole_file import write_whole
from lipcert.records import Report
from lipcert.render import FORMATS, Style, render

_SUFFIXES = {
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".sarif": "sarif",
    ".xml": "junit",
}
_TEXT_MARK = b"terms: lipcert explain"
_VERDICT_MARKS = (b"unsat\n", b"sat\n((X_0 ", b"unknown\n", b"timeout\n")
_HEAD_MARKS = (
    b'"schema": "lipcert.',
    b"<!-- lipcert.",
    b'"name": "lipcert"',
    b"model,path,kind,id,value,lower,upper,",
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place the result goes to, and in which format; `path` None is stdout."""

    format: str
    path: Path | None = None


def targets(
    format_name: str | None,
    *,
    as_json: bool,
    output: Path | None,
    reports: Sequence[str] | None,
    known: Sequence[str] = FORMATS,
) -> tuple[Target, ...]:
    """What -f, --json, -o and --report ask for together. A file's suffix decides where no format was named.

    known  the formats that the command writes
    """
    if as_json and format_name not in {None, "json"}:
        raise UsageError(f"--json and -f {format_name} contradict each other")
    named = "json" if as_json else values.choice(format_name, "--format", known)
    path = None if output is None or str(output) == "-" else output
    guessed = _SUFFIXES.get(path.suffix.lower(), "text") if path is not None else "text"
    guessed = guessed if guessed in known else "text"
    found = [Target(format=named or guessed, path=path), *(_report(entry, known) for entry in reports or ())]
    paths = [target.path.resolve() for target in found if target.path is not None]
    if len(set(paths)) < len(paths) or sum(target.path is None for target in found) > 1:
        raise UsageError("two results would be written to the same place", hint="give each --report a file of its own")
    return tuple(found)


def _report(entry: str, known: Sequence[str]) -> Target:
    name, equals, path = entry.partition("=")
    if not equals or not path:
        raise UsageError(f"--report needs FORMAT=FILE, got {entry!r}", hint="for example --report markdown=report.md")
    chosen = values.choice(name, "--report", known) or "text"
    return Target(format=chosen, path=None if path == "-" else Path(path))


def check(found: Sequence[Target], *, overwrite: bool) -> None:
    """Refuse, before any work is done, a file that could not be written or that is not lipcert's to replace."""
    for target in found:
        if target.path is None:
            continue
        check_place(target.path, example="report.json", kind="lipcert report", ours=is_report, overwrite=overwrite)


def is_report(path: Path) -> bool:
    """Whether a file is empty or was written by lipcert, by its first or last bytes."""
    with path.open("rb") as file:
        head = file.read(200)
        file.seek(max(0, path.stat().st_size - 200))
        tail = file.read()
    if head in _VERDICT_MARKS or head.startswith(_VERDICT_MARKS[1]):
        return True
    return not head or any(mark in head for mark in _HEAD_MARKS) or _TEXT_MARK in b" ".join(tail.split())


def deliver(
    report: Report, found: Sequence[Target], *, color: str, verbose: bool = False, sheet: bytes | None = None
) -> None:
    """Write the report to every target, files first: a closed pipe must not cost a file.

    sheet  a PNG of adversarial examples, for formats with pictures
    """
    remind(found)
    for target in sorted(found, key=lambda target: target.path is None):
        style = replace(style_for(target, sys.stdout, color), verbose=verbose, sheet=sheet)
        put(render(report, target.format, style), target)
    summarise(report, found)


def remind(found: Sequence[Target]) -> None:
    """Say on stderr what a format needs that is not installed."""
    if any(target.format == "html" for target in found) and find_spec("matplotlib") is None:
        streams.say("lipcert: the HTML report has no plots: they need matplotlib\n  hint: pip install 'lipcert[html]'")


def summarise(report: Report, found: Sequence[Target]) -> None:
    """What a format leaves beside its text: with github the page of the job."""
    if any(target.format == "github" for target in found):
        append_job_summary(report)


def style_for(target: Target, stdout: IO[str] | None, color: str) -> Style:
    """Terminal manners for stdout; for files plain text in UTF-8."""
    if target.path is None:
        return streams.style_of(stdout, color)
    return Style(width=streams.width_of(None), color=color == "always")


def put(text: str, target: Target) -> None:
    """Write one finished result."""
    if target.path is None:
        streams.write_result(text, encoding=None if target.format == "text" else "utf-8")
        return
    write_whole(target.path, text.encode("utf-8", "backslashreplace"))
