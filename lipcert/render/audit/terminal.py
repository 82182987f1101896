"""The leaderboard for a terminal or a log."""

from __future__ import annotations

import textwrap
from dataclasses import replace

from lipcert.records.audit import AuditReport
from lipcert.render.audit.table import Row, groups, headings, reading, sections, tally
from lipcert.render.style import Style

_LONGEST_NAME = 48
_MOST = 12


def render_text(report: AuditReport, style: Style) -> str:
    """A table a family, then failed checks, warnings and what went wrong, then the counts.

    What is still to do is counted and not listed.
    """
    known = replace(report, models=tuple(model for model in report.models if model.status != "pending"))
    found = list(groups(known))
    rows = [row for _, each in found for row in each]
    heads = headings(report)
    widths = [
        max([len(heads[place]), *(len(_cell(row, place, style)) for row in rows)], default=0)
        for place in range(len(heads))
    ]
    picture = "radii" if any(row.spark for row in rows) and sum(widths) + 2 * len(widths) + 12 <= style.width else ""
    lines = [_line(heads, widths, picture)]
    for family, members in found:
        lines += ["", *([style.spell(family)] if family else [])] if len(found) > 1 or family else []
        lines += [_row(row, widths, style, picture=bool(picture)) for row in members]
    lines += [
        *(line for title, each in sections(report) for line in _listed(title, each, style)),
        "",
        *textwrap.wrap(style.spell(reading(report)), style.width),
    ]
    return "\n".join([*lines, style.spell(tally(report))]) + "\n"


def _cell(row: Row, place: int, style: Style) -> str:
    text = style.spell(row.cells[place])
    return text if place or len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."


def _row(row: Row, widths: list[int], style: Style, *, picture: bool) -> str:
    cells = [_cell(row, place, style) for place in range(len(widths))]
    return _line(cells, widths, style.spell(row.spark) if picture else "")


def _line(cells: list[str] | tuple[str, ...], widths: list[int], last: str) -> str:
    """Text to the left, numbers to the right."""
    shown = [
        cell.ljust(width) if place in {0, len(widths) - 1} else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join([*shown, last]).rstrip()


def _listed(title: str, found: list[tuple[str, str]], style: Style) -> list[str]:
    lines = ["", title]
    for name, message in found[:_MOST]:
        text = style.spell(f"{name}: {message}")
        lines += textwrap.wrap(text, style.width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    left = len(found) - _MOST
    return [*lines, *([f"and {left:,} more; the JSON has them all"] if left > 0 else [])]
