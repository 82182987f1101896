"""Warnings and notes, errors, and what was skipped."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import ErrorRecord, ModelRecord
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.gaps import data_would_add, skipped

_LABEL = Column(header="", justify="left")


def findings(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """Diagnostics, the gravest first, each with its hint."""
    if not model.diagnostics:
        return None
    grave = sorted(model.diagnostics, key=lambda item: ("error", "warning", "note").index(item.level))
    rows = [(ink.text(item.level, item.level), _body(f"{item.id}: {item.message}", item.hint, ink)) for item in grave]
    return ink.section(ink.heading("DIAGNOSTICS"), ink.grid([_LABEL, _LABEL], rows))


def gaps(model: ModelRecord, asked: tuple[str, ...], ink: Ink) -> RenderableType:
    """What is not in this report, and what would bring it."""
    rows = [(name, reason) for name, reason in skipped(model)]
    if model.unsupported_ops:
        rows.append(("no rule for", ", ".join(model.unsupported_ops)))
    if missing := data_would_add(model, asked):
        rows.append(("without data" if model.data is None else "without labels", missing))
    body = ink.grid([Column(header="", justify="left", role="warning"), _LABEL], rows) if rows else ink.text("nothing")
    return ink.section(ink.heading("SKIPPED"), body)


def errors(records: Sequence[ErrorRecord], ink: Ink) -> RenderableType | None:
    """Failures, each with its step, its code and its hint."""
    if not records:
        return None
    rows = [(ink.text(item.code, "error"), _failure(item, ink)) for item in records]
    return ink.section(ink.heading("ERRORS"), ink.grid([_LABEL, _LABEL], rows))


def _failure(item: ErrorRecord, ink: Ink) -> Text:
    lead = f"{item.model} ({item.phase}): " if item.model else ""
    operators = f" [{', '.join(item.operators)}]" if item.operators else ""
    return _body(lead + item.message + operators, item.hint, ink)


def _body(message: str, hint: str, ink: Ink) -> Text:
    text = ink.text(message)
    return text.append("\n").append_text(ink.text(f"hint: {hint}", "dim")) if hint else text
