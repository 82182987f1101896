"""Whether the attacks can be believed."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import EvaluationCheck, ModelRecord
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.evaluation import check_line, evaluation, flagged, verdict

_ROLES = {"fail": "error", "warn": "warning", "pass": "proved", "skipped": "dim"}
_WORDS = {"skipped": "note"}


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """Checks that did not pass, each with what to do; all of them where details are asked for."""
    record = evaluation(model)
    if record is None or (record.verdict == "sound" and not ink.style.verbose):
        return None
    shown = [*flagged(record)]
    if ink.style.verbose:
        shown += [check for status in ("pass", "skipped") for check in record.checks if check.status == status]
    rows = [(ink.text(_WORDS.get(c.status, c.status), _ROLES[c.status]), _body(c, ink)) for c in shown]
    column = Column(header="", justify="left")
    return ink.section(ink.heading("CAN THE ATTACKS BE BELIEVED", [verdict(record)]), ink.grid([column, column], rows))


def _body(check: EvaluationCheck, ink: Ink) -> Text:
    text = ink.text(check_line(check))
    return text.append("\n").append_text(ink.text(f"hint: {check.hint}", "dim")) if check.hint else text
