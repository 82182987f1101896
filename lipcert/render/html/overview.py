"""All models of a report in one table."""

from __future__ import annotations

from lipcert.records import ModelRecord, Report
from lipcert.render.html.checks import state
from lipcert.render.html.markup import Html, Part, element, join, section, table
from lipcert.render.wording.checks import GATES, gates, ordered, remark, tally
from lipcert.render.wording.overview import HEAD, row

_MOST_CHECKS = 3


def overview(report: Report, *, links: bool) -> Html:
    """A row a model; what held a build up below its name. `links` where the models stand further down the page."""
    rows = [_row(model, f"m{index}" if links else None) for index, model in enumerate(report.models)]
    whole = table("All models", HEAD, rows, text=(1, 2), hide=True)
    checks = [check for model in report.models for check in model.checks]
    gate = "" if report.summary.gate == "none" else f"; {GATES[report.summary.gate]}: {tally(checks)}"
    return section("All models", "overview", whole, lead=f"{len(report.models):,} models{gate}")


def _row(model: ModelRecord, anchor: str | None) -> list[Part]:
    name, *cells = row(model)
    shown: Part = name if anchor is None else element("a", name, href=f"#{anchor}")
    failed = [check for check in ordered(model) if gates(check)] if anchor is None else []
    lines = [
        element("small", state(check), " ", f"{check.id}: {remark(check)}", class_="hint")
        for check in failed[:_MOST_CHECKS]
    ]
    if len(failed) > _MOST_CHECKS:
        lines.append(element("small", f"and {len(failed) - _MOST_CHECKS} more", class_="hint"))
    return [join([shown, *lines]), *cells]
