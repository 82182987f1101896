"""The leaderboard as one HTML file that needs nothing else."""

from __future__ import annotations

from lipcert.records.audit import AuditReport
from lipcert.render.audit.table import Row, groups, headings, reading, sections, tally
from lipcert.render.html.document import document
from lipcert.render.html.markup import Part, element, listing, paragraph, table
from lipcert.render.style import Style


def render_html(report: AuditReport, style: Style) -> str:  # noqa: ARG001  a page has a layout of its own
    """A table a family, then failed checks, warnings and what went wrong; no script, nothing from outside."""
    body: list[Part] = [element("h1", "lipcert audit"), paragraph(tally(report))]
    heads = [*headings(report), "radii"]
    for family, rows in groups(report):
        body.append(table(family or "models", heads, [_cells(row, report) for row in rows], text=(6,)))
    for title, found in sections(report):
        lines = [[element("code", name), f": {message}"] for name, message in found]
        body += [element("h2", title), listing(lines)]
    body += [paragraph(reading(report)), paragraph("terms: lipcert explain")]
    return document("audit", report.schema_version, f"{report.summary.models} models", body)


def _cells(row: Row, report: AuditReport) -> list[Part]:
    """The cells, each number with its metric and its exact value for programs that read the page."""
    model = row.model
    ball = next((each for each in model.balls if (each.norm, each.eps) == report.ranked_by), None)
    place = "" if ball is None else f"[norm={ball.norm},eps={ball.eps:g}]"
    attacked, certified = (None, None) if ball is None else (ball.robust_accuracy, ball.certified_accuracy)
    name, *shown = row.cells
    return [
        element("span", name, title=f"sha256 {model.sha256}"),
        _number(shown[0], "margins.clean_accuracy", model.clean_accuracy),
        _number(shown[1], f"robustness.robust_accuracy{place}", attacked),
        _number(shown[2], f"certificates.certified_accuracy{place}", certified),
        *shown[3:],
        row.spark,
    ]


def _number(text: str, metric: str, value: float | None) -> Part:
    return text if value is None else element("data", text, value=repr(value), data_metric=metric)
