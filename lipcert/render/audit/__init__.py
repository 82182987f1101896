"""From the document on a zoo to text, one format a module."""

from __future__ import annotations

from importlib import import_module

from lipcert.records.audit import AuditReport
from lipcert.render.style import Style

_HOMES = {
    "text": "lipcert.render.audit.terminal",
    "json": "lipcert.render.audit.documents",
    "jsonl": "lipcert.render.audit.documents",
    "csv": "lipcert.render.audit.documents",
    "markdown": "lipcert.render.audit.markdown",
    "html": "lipcert.render.audit.html",
}
AUDIT_FORMATS = tuple(_HOMES)

__all__ = ["AUDIT_FORMATS", "render_audit"]


def render_audit(report: AuditReport, format_name: str, style: Style | None = None) -> str:
    """The leaderboard in one of `AUDIT_FORMATS`, ending in a newline."""
    module = import_module(_HOMES[format_name])
    text: str = getattr(module, f"render_{format_name}")(report, style or Style())
    return text
