"""The report as Markdown, fit for a pull-request comment or a job summary."""

from __future__ import annotations

from lipcert.records import ErrorRecord, ModelRecord, Report
from lipcert.render.base import RENDERERS
from lipcert.render.markdown import attacks, generalization, jacobian, overview, sections, spectrum
from lipcert.render.markdown.escape import escape
from lipcert.render.style import Style
from lipcert.render.wording.lines import circumstances

_SECTIONS = (
    sections.checks,
    sections.brackets,
    sections.certificates,
    sections.radii,
    generalization.generalization,
    sections.lipschitz,
    jacobian.jacobian,
    sections.margins,
    sections.layers,
    spectrum.spectrum,
    attacks.attacks,
    attacks.evaluation,
    sections.findings,
)


MOST_IN_FULL = 20
"""Models that get every section; of more, a row in the overview and what held the gate up."""


@RENDERERS.register("markdown")
def render(report: Report, style: Style) -> str:  # noqa: ARG001  Markdown has a layout of its own
    """Verdict first, then one table a section. The first line marks the file as lipcert's."""
    parts = [f"<!-- lipcert.report {report.schema_version} -->", *overview.gate(report)]
    whole = len(report.models) <= MOST_IN_FULL
    if len(report.models) > 1:
        parts += overview.overview(report, brief=not whole)
    for model in report.models if whole else ():
        parts += _model(model, report.settings.analyses)
    if report.errors:
        parts.append(overview.capped("## Errors", [_error(error) for error in report.errors]))
    return "\n\n".join([*parts, f"_{escape(', '.join(circumstances(report)))}_"]) + "\n"


def _model(model: ModelRecord, asked: tuple[str, ...]) -> list[str]:
    built = (section(model) for section in _SECTIONS)
    return [sections.top(model), *(part for part in built if part is not None), sections.skipped(model, asked)]


def _error(error: ErrorRecord) -> str:
    where = f"{error.model} ({error.phase}): " if error.model else ""
    operators = f" [{', '.join(error.operators)}]" if error.operators else ""
    return f"{error.code}: {where}{error.message}{operators}" + (f" Hint: {error.hint}" if error.hint else "")
