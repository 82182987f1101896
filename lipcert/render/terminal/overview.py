"""All models of a report in one table."""

from __future__ import annotations

from rich.console import RenderableType

from lipcert.records import Report
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.checks import gates, ordered, remark, word
from lipcert.render.wording.overview import HEAD, row

MOST_IN_FULL = 5
"""Models that get every section; of more, a row and what held the gate up, unless -v asks for all."""

_TEXT = 3
_NARROW = 110


def section(report: Report, ink: Ink) -> RenderableType | None:
    """A row a model, the checks where there is room for them; nothing where the report is on one."""
    if len(report.models) < 2:
        return None
    shown = [place for place in range(len(HEAD)) if place != 1 or ink.width >= _NARROW]
    columns = [
        Column(
            header=HEAD[place],
            justify="left" if place < _TEXT else "right",
            fold=place < _TEXT,
            limit=_limit(place, ink),
        )
        for place in shown
    ]
    rows = [[cells[place] for place in shown] for cells in map(row, report.models)]
    return ink.section(ink.heading("ALL MODELS", [f"{len(report.models):,}"]), ink.grid(columns, rows))


def _limit(place: int, ink: Ink) -> int | None:
    return max(16, ink.width // 3) if place == 0 else None


def failed(report: Report, ink: Ink) -> RenderableType | None:
    """One line for every check that did not pass."""
    rows = [
        (
            ink.text(word(check), "error" if check.state == "fail" else "warning"),
            f"{row(model)[0]}: {check.id}: {remark(check)}",
        )
        for model in report.models
        for check in ordered(model)
        if gates(check)
    ]
    if not rows:
        return None
    column = Column(header="", justify="left")
    return ink.section(ink.heading("CHECKS THAT DID NOT PASS"), ink.grid([column, column], rows))
