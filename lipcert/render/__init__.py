"""From a report to text, one format a module.

A format is imported when it is asked for, so that listing the formats costs nothing.
"""

from __future__ import annotations

from importlib import import_module

from lipcert.records import Report
from lipcert.render.base import RENDERERS
from lipcert.render.style import Style

_HOMES = {
    "text": "lipcert.render.terminal.report",
    "json": "lipcert.render.json_document",
    "markdown": "lipcert.render.markdown",
    "html": "lipcert.render.html",
    "csv": "lipcert.render.csv_table",
    "sarif": "lipcert.render.sarif",
    "junit": "lipcert.render.junit",
    "github": "lipcert.render.github",
}
FORMATS = tuple(_HOMES)

__all__ = ["FORMATS", "RENDERERS", "Style", "render"]


def render(report: Report, format_name: str, style: Style | None = None) -> str:
    """The report in one of `FORMATS`, ending in a newline."""
    import_module(_HOMES[format_name])
    return RENDERERS[format_name](report, style or Style())
