"""What `compare` found, as text, markdown or JSON. A format is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from lipcert.records.compare import CompareReport
from lipcert.render.style import Style

_HOMES = {
    "text": "lipcert.render.comparison.terminal",
    "json": "lipcert.render.comparison.document",
    "markdown": "lipcert.render.comparison.markdown",
}
FORMATS = tuple(_HOMES)

__all__ = ["FORMATS", "render_comparison"]


def render_comparison(
    report: CompareReport, format_name: str, style: Style | None = None, *, full: bool = False
) -> str:
    """The comparison in one of `FORMATS`; `full` shows every number that moved, not the headline ones alone."""
    text: str = import_module(_HOMES[format_name]).render(report, style or Style(), full=full)
    return text
