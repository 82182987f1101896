"""The outcome of a gate as a person reads it in a terminal: the verdict, then what stands in its way."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from lipcert.records import CheckRecord, ModelRecord, Report
from lipcert.render.notation import duration
from lipcert.render.style import SEPARATOR, Style
from lipcert.render.terminal import diagnostics
from lipcert.render.terminal.ink import Column, Ink, to_text
from lipcert.render.wording.checks import gates, limit, ordered, place, remark, tally, value, word

_COLUMNS = (
    Column(header="", justify="left"),
    Column(header="check", justify="left", fold=True),
    Column(header="found"),
    Column(header="asked", justify="left"),
)
_ROLES = {"pass": "proved", "fail": "error", "error": "error", "inconclusive": "warning", "skipped": "warning"}
_HEADLINES = {
    "pass": ("PASS", "proved", "every check at or above {level} passed"),
    "fail": ("FAIL", "error", "a check at or above {level} failed"),
    "inconclusive": ("INCONCLUSIVE", "warning", "not every check at or above {level} could be decided"),
    "none": ("NO GATE", "note", "no check counts at {level}"),
}


def gate_text(report: Report, style: Style, fail_on: str = "error") -> str:
    """The verdict first, then each model with its checks, those that did not pass first and in full."""
    ink = Ink(style)
    checks = [check for model in report.models for check in model.checks]
    parts: list[RenderableType] = [_headline(report, checks, fail_on, ink), Text("")]
    parts += [_model(model, ink) for model in sorted(report.models, key=lambda m: not any(map(gates, m.checks)))]
    failures = diagnostics.errors(report.errors, ink)
    if failures is not None:
        parts.append(failures)
    took = [] if report.run is None else [duration(report.run.duration_s)]
    parts.append(
        ink.text(SEPARATOR.join([*took, f"exit code {report.summary.exit_code}", "terms: lipcert explain"]), "dim")
    )
    return to_text(parts, style)


def _headline(report: Report, checks: list[CheckRecord], fail_on: str, ink: Ink) -> Text:
    name, role, meaning = _HEADLINES[report.summary.gate]
    count = report.summary.models
    counted = f"{count} {'model' if count == 1 else 'models'}"
    lost = [f"{report.summary.inconclusive} not analysed"] if report.summary.inconclusive else []
    line = ink.text(f"{name}  ", role)
    return line.append_text(
        ink.text(SEPARATOR.join([meaning.format(level=fail_on), counted, *lost, tally(checks)]), "heading")
    )


def _model(model: ModelRecord, ink: Ink) -> RenderableType:
    """One model: a table of its checks, and below it what to do about those that did not pass."""
    heading = ink.heading(model.path, [tally(model.checks)])
    shown = ordered(model)
    rows = [(_state(check, ink), ink.text(check.id), value(check), limit(check)) for check in shown]
    table = ink.grid(_COLUMNS, rows)
    notes = [_note(check, ink) for check in shown if gates(check) or check.ignored is not None]
    return ink.section(heading, table, *notes)


def _state(check: CheckRecord, ink: Ink) -> Text:
    return ink.text(word(check), "dim" if check.ignored is not None else _ROLES[check.state])


def _note(check: CheckRecord, ink: Ink) -> RenderableType:
    where = f" ({place(check)})" if place(check) else ""
    lines = [ink.text(f"{check.level}: {remark(check)}")]
    if check.hint and check.ignored is None:
        lines.append(ink.text(check.hint, "dim"))
    heading = ink.text(f"{word(check)} {check.metric}{where}", _ROLES[check.state])
    return Group(Text(""), heading, ink.block(*lines))
