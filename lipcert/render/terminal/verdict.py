"""The verdict."""

from __future__ import annotations

from rich.console import RenderableType

from lipcert.records import ModelRecord
from lipcert.render.terminal.ink import Ink
from lipcert.render.wording.evaluation import caution
from lipcert.render.wording.lines import spaces
from lipcert.render.wording.verdict import headline


def section(model: ModelRecord, ink: Ink) -> RenderableType:
    """What to know first, and in which units."""
    warnings = (ink.text(line, "warning") for line in caution(model))
    lines = (ink.text(line) for line in headline(model))
    return ink.section(ink.heading("VERDICT", spaces(model)[:1]), *warnings, *lines)
