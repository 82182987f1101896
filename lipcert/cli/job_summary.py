"""The page that GitHub Actions shows for a job."""

from __future__ import annotations

import os
from pathlib import Path

from lipcert.cli import streams
from lipcert.records import Report
from lipcert.render import render

MOST_BYTES = 900_000
"""GitHub drops a step's summary above 1 MiB without a word."""

_CUT = "\n\n_The rest does not fit into a job summary; write it to a file with --report markdown=FILE._\n"


def append_job_summary(report: Report) -> None:
    """Append the report as Markdown to the file that $GITHUB_STEP_SUMMARY names; nothing where there is none."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    path = Path(name)
    try:
        there = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(fitted(render(report, "markdown"), MOST_BYTES - there))
    except OSError as error:
        streams.say(f"lipcert: the job summary {name} could not be written: {error.strerror}")


def fitted(text: str, room: int) -> str:
    """`text` in at most `room` bytes: as many whole lines as fit, then a line that says so."""
    if len(text.encode("utf-8", "backslashreplace")) <= room:
        return text
    left = room - len(_CUT)
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        left -= len(line.encode("utf-8", "backslashreplace"))
        if left < 0:
            break
        kept.append(line)
    return "".join(kept).rstrip("\n") + _CUT if kept else ""
