"""The checks of one model: a table, and below it what to do about those that did not pass."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from lipcert.records import CheckRecord, ModelRecord, Report
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.checks import GATES, gates, limit, ordered, place, remark, tally, value, word

_COLUMNS = (
    Column(header="", justify="left"),
    Column(header="check", justify="left", fold=True),
    Column(header="found"),
    Column(header="asked", justify="left"),
)
ROLES = {"pass": "proved", "fail": "error", "error": "error", "inconclusive": "warning", "skipped": "warning"}


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """The checks as part of a report, those that did not pass first."""
    return table(model, "CHECKS", ink) if model.checks else None


def table(model: ModelRecord, title: str, ink: Ink) -> RenderableType:
    """The checks under a title."""
    shown = ordered(model)
    rows = [(_state(check, ink), ink.text(check.id), value(check), limit(check)) for check in shown]
    notes = [_note(check, ink) for check in shown if gates(check) or check.ignored is not None]
    return ink.section(ink.heading(title, [tally(model.checks)]), ink.grid(_COLUMNS, rows), *notes)


def verdict(report: Report, ink: Ink) -> RenderableType | None:
    """What the gate came to, in one line; nothing where there was none."""
    if report.summary.gate == "none":
        return None
    checks = [check for model in report.models for check in model.checks]
    role = {"pass": "proved", "fail": "error"}.get(report.summary.gate, "warning")
    line = ink.text(f"{GATES[report.summary.gate]}  ", role).append_text(ink.text(tally(checks), "heading"))
    return Group(line, Text(""))


def _state(check: CheckRecord, ink: Ink) -> Text:
    return ink.text(word(check), "dim" if check.ignored is not None else ROLES[check.state])


def _note(check: CheckRecord, ink: Ink) -> RenderableType:
    where = f" ({place(check)})" if place(check) else ""
    lines = [ink.text(f"{check.level}: {remark(check)}")]
    if check.hint and check.ignored is None:
        lines.append(ink.text(check.hint, "dim"))
    heading = ink.text(f"{word(check)} {check.metric}{where}", ROLES[check.state])
    return Group(Text(""), heading, ink.block(*lines))
