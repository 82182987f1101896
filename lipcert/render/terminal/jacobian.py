"""The Jacobian of the logits at the samples."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from lipcert.records import JacobianRecord, ModelRecord
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.jacobian import Reading, facts, readings
from lipcert.render.wording.jacobian_tables import Table, tables

_BESIDE = 100


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """A few sentences with two small plots; every table where the style is verbose."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord):
        return None
    columns = [Column(header="", justify="left", limit=13), Column(header="", justify="left")]
    rows = [[ink.text(reading.name, "dim"), _sentence(reading, ink)] for reading in readings(record)]
    more: list[RenderableType] = [_table(table, ink) for table in tables(record)] if ink.style.verbose else []
    hint = [] if ink.style.verbose else ["-v shows all tables"]
    return ink.section(ink.heading("JACOBIAN", [*facts(record), *hint]), ink.grid(columns, rows), *more)


def _sentence(reading: Reading, ink: Ink) -> Text:
    line = ink.text(reading.text)
    return line.append("  ").append_text(ink.text(reading.plot, "measured")) if reading.plot else line


def _table(table: Table, ink: Ink) -> RenderableType:
    parts: list[RenderableType] = [Text(""), ink.text(table.title, "heading")]
    if table.rows:
        width = max(16, ink.width // 2) if len(table.head) <= 3 else max(16, ink.width // 4)
        columns = [Column(header=name, justify="right" if place else "left") for place, name in enumerate(table.head)]
        columns[0] = Column(header=table.head[0], justify="left", fold=True, limit=width)
        parts.append(ink.grid(columns, table.rows))
    parts += [ink.text(note, "dim") for note in table.notes]
    return Group(*parts)
