"""The whole page: what stands before, between and after the models."""

from __future__ import annotations

from lipcert.records import ModelRecord, Report
from lipcert.render.base import RENDERERS
from lipcert.render.html import findings, legend, overview, sections
from lipcert.render.html.document import document
from lipcert.render.html.markup import Html, Part, element, join, paragraph
from lipcert.render.html.pictures import Gallery, gallery
from lipcert.render.style import Style
from lipcert.render.wording.identity import title
from lipcert.render.wording.lines import circumstances

MOST_IN_FULL = 5
"""Models that get every section; of more, a row in the overview and what did not pass."""


@RENDERERS.register("html")
def render(report: Report, style: Style) -> str:
    """No script, no reference to anything outside, the same numbers as the JSON."""
    whole = len(report.models) <= MOST_IN_FULL
    sheet = style.sheet if len(report.models) == 1 else None
    drawn = gallery(sheet) if whole and report.models else None
    body: list[Part] = []
    if len(report.models) != 1:
        body.append(element("header", element("h1", _name(report))))
    if len(report.models) > 1:
        body.append(overview.overview(report, links=whole))
    if whole:
        body += [_model(model, f"m{index}", report, drawn) for index, model in enumerate(report.models)]
    body += [findings.errors(report.errors), legend.legend() if report.models else None, _footer(report, drawn)]
    return document("report", report.schema_version, _name(report), body)


def _model(model: ModelRecord, anchor: str, report: Report, drawn: Gallery | None) -> Html:
    """Every section that has something to show, below a row of links to them."""
    head, parts = sections.build(model, anchor, report, drawn)
    links = [element("a", name, href=f"#{target}") for target, name, _ in parts]
    menu = element(
        "nav", element("ul", *(element("li", link) for link in links)), aria_label=f"Sections of {title(model)}"
    )
    return element("article", head, menu, *(part for _, _, part in parts), id=anchor)


def _name(report: Report) -> str:
    if len(report.models) == 1:
        return title(report.models[0])
    return f"{len(report.models)} models" if report.models else "no model"


def _footer(report: Report, drawn: Gallery | None) -> Html:
    missing = "Plots are missing: they need matplotlib, pip install 'lipcert[html]'. "
    lines = [paragraph(missing)] if drawn is not None and not drawn.available else []
    return element(
        "footer", *lines, element("p", join(list(circumstances(report)), " · ")), paragraph("terms: lipcert explain")
    )
