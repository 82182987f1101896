"""Effective settings and checks as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from lipcert.render.style import Style
from lipcert.render.terminal.ink import Column, Ink, to_text

_SETTINGS = (
    Column(header="setting", justify="left"),
    Column(header="value", justify="left", fold=True),
    Column(header="from", justify="left", fold=True, role="dim"),
)
_CHECKS = (
    Column(header="check", justify="left", fold=True),
    Column(header="level", justify="left"),
    Column(header="metric", justify="left", fold=True),
    Column(header="asked", justify="left"),
    Column(header="from", justify="left", fold=True, role="dim"),
)
_WIDE = 100
"""Columns from which the full ids of metrics have room."""


def settings_text(title: str, settings: Sequence[Sequence[str]], checks: Sequence[Sequence[str]], style: Style) -> str:
    """Settings with value and origin, then checks with level, metric, limits and origin."""
    ink = Ink(style)
    parts = [ink.text(title, "heading"), Text(""), ink.block(ink.grid(_SETTINGS, settings))]
    if checks:
        wide = ink.width >= _WIDE
        rows = checks if wide else [[*row[:2], *row[3:]] for row in checks]
        parts += [Text(""), ink.block(ink.grid(_CHECKS if wide else (*_CHECKS[:2], *_CHECKS[3:]), rows))]
    return to_text(parts, style)
