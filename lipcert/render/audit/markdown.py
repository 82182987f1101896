"""The leaderboard as Markdown."""

from __future__ import annotations

from lipcert.records.audit import AuditReport
from lipcert.render.audit.table import groups, headings, reading, sections, tally
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.style import Style


def render_markdown(report: AuditReport, style: Style) -> str:  # noqa: ARG001  Markdown has a layout of its own
    """A table a family, then failed checks, warnings and what went wrong."""
    heads = [*headings(report), "radii"]
    parts = [f"<!-- lipcert.audit {report.schema_version} -->", "# Audit", escape(tally(report))]
    for family, rows in groups(report):
        parts += [f"## {escape(family)}"] if family else []
        parts.append(table(heads, [[*row.cells, row.spark] for row in rows]))
    for title, found in sections(report):
        parts += [f"## {title}", bullets([f"{name}: {message}" for name, message in found])]
    return "\n\n".join([*parts, *([escape(reading(report))] if report.ranked_by else [])]) + "\n"
