"""What to know before believing the numbers, what failed, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from lipcert.records import ErrorRecord, ModelRecord
from lipcert.render.html.markup import Html, Part, element, paragraph, section, table
from lipcert.render.wording.gaps import data_would_add
from lipcert.render.wording.gaps import skipped as reasons

_ORDER = ("error", "warning", "note")


def diagnostics(model: ModelRecord) -> Html | None:
    """Diagnostics, the gravest first, each with its hint."""
    grave = sorted(model.diagnostics, key=lambda item: _ORDER.index(item.level))
    rows: list[list[Part]] = [[_state(item.level), item.id, [item.message, _hint(item.hint)]] for item in grave]
    return table("Diagnostics", ("level", "id", "what was found"), rows, text=(1, 2), hide=True) if rows else None


def skipped(model: ModelRecord, asked: tuple[str, ...]) -> Html:
    """What is not in this report, and what would bring it."""
    rows: list[list[Part]] = [[name, reason] for name, reason in reasons(model)]
    if model.unsupported_ops:
        rows.append(["no rule for", ", ".join(model.unsupported_ops)])
    if missing := data_would_add(model, asked):
        rows.append(["without data" if model.data is None else "without labels", missing])
    return table("Skipped", ("what", "why"), rows, text=(1,), hide=True) if rows else paragraph("nothing")


def errors(records: Sequence[ErrorRecord]) -> Html | None:
    """Failures, each with its step, its code and its hint."""
    rows: list[list[Part]] = []
    for item in records:
        operators = f" [{', '.join(item.operators)}]" if item.operators else ""
        rows.append([item.model or "-", item.phase, item.code, [item.message + operators, _hint(item.hint)]])
    head = ("model", "step", "code", "what failed")
    return section("Errors", "errors", table("Errors", head, rows, text=(1, 2, 3), hide=True)) if rows else None


def _state(level: str) -> Html:
    return element("span", level, class_=f"state {level}")


def _hint(text: str) -> Html | None:
    return element("small", f"hint: {text}", class_="hint") if text else None
