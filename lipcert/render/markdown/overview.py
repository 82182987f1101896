"""Many models on one page that still fits a job summary."""

from __future__ import annotations

from lipcert.records import ModelRecord, Report
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.style import visible
from lipcert.render.wording.checks import GATES, gates, ordered, remark, tally, word
from lipcert.render.wording.identity import title
from lipcert.render.wording.overview import HEAD, row

_ROOM = 250_000
_LONGEST, _LONGEST_NAME = 300, 60


def gate(report: Report) -> list[str]:
    """What the gate came to, where there was one."""
    checks = [check for model in report.models for check in model.checks]
    return [] if report.summary.gate == "none" else [f"**{GATES[report.summary.gate]}**: {escape(tally(checks))}"]


def overview(report: Report, *, brief: bool) -> list[str]:
    """A row a model; where nothing else follows on each of them, also the checks that hold the gate up."""
    rows = [[_short(name), *cells] for name, *cells in map(row, report.models)]
    parts = [f"# {len(report.models)} models", table(list(HEAD), rows)]
    failed = [line for model in report.models for line in _failed(model)] if brief else []
    return [*parts, capped("## Checks that did not pass", failed)] if failed else parts


def _failed(model: ModelRecord) -> list[str]:
    return [f"{_short(title(model))}: {word(c)} {c.id}: {remark(c)}" for c in ordered(model) if gates(c)]


def _short(name: str) -> str:
    shown = visible(name)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 3]}..."


def capped(heading: str, lines: list[str]) -> str:
    """A list that stops when it is long, and says how much is left."""
    room, kept = _ROOM, list[str]()
    for line in lines:
        shown = line if len(line) <= _LONGEST else f"{visible(line)[:_LONGEST]}..."
        room -= len(escape(shown).encode()) + 3
        if room < 0:
            break
        kept.append(shown)
    left = len(lines) - len(kept)
    more = f"\n\nand {left:,} more: the JSON report has all of them" if left else ""
    return f"{heading}\n\n{bullets(kept)}{more}"
