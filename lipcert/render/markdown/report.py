"""The report as Markdown, fit for a pull-request comment or a job summary."""

from __future__ import annotations

from lipcert.records import ErrorRecord, ModelRecord, Report
from lipcert.render.base import RENDERERS
from lipcert.render.markdown import attacks, generalization, jacobian, sections, spectrum
from lipcert.render.markdown.escape import bullets, escape
from lipcert.render.style import Style
from lipcert.render.wording.lines import circumstances

_SECTIONS = (
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


@RENDERERS.register("markdown")
def render(report: Report, style: Style) -> str:  # noqa: ARG001  Markdown has a layout of its own
    """Verdict first, then one table a section. The first line marks the file as lipcert's."""
    parts = [f"<!-- lipcert.report {report.schema_version} -->"]
    for model in report.models:
        parts += _model(model, report.settings.analyses)
    if report.errors:
        parts.append(f"## Errors\n\n{bullets([_error(error) for error in report.errors])}")
    return "\n\n".join([*parts, f"_{escape(', '.join(circumstances(report)))}_"]) + "\n"


def _model(model: ModelRecord, asked: tuple[str, ...]) -> list[str]:
    built = (section(model) for section in _SECTIONS)
    return [sections.top(model), *(part for part in built if part is not None), sections.skipped(model, asked)]


def _error(error: ErrorRecord) -> str:
    where = f"{error.model} ({error.phase}): " if error.model else ""
    operators = f" [{', '.join(error.operators)}]" if error.operators else ""
    return f"{error.code}: {where}{error.message}{operators}" + (f" Hint: {error.hint}" if error.hint else "")
