"""The outcome of a gate as a person reads it in a terminal: the verdict, then what stands in its way."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import CheckRecord, Report
from lipcert.render.notation import duration
from lipcert.render.style import SEPARATOR, Style
from lipcert.render.terminal import diagnostics
from lipcert.render.terminal.checks import table
from lipcert.render.terminal.headline import verdict_lines
from lipcert.render.terminal.ink import Ink, to_text
from lipcert.render.wording.checks import gates, tally

_HEADLINES = {
    "pass": ("PASS", "proved", "every check at or above {level} passed"),
    "fail": ("FAIL", "error", "a check at or above {level} failed"),
    "inconclusive": ("INCONCLUSIVE", "warning", "not every check at or above {level} could be decided"),
    "none": ("NO GATE", "note", "no check counts at {level}"),
}


def gate_text(report: Report, style: Style, fail_on: str = "error") -> str:
    """The verdict first, then each model with its checks, those that did not pass first and in full."""
    ink = Ink(style)
    checks = [check for model in report.models for check in model.checks]
    parts: list[RenderableType] = [*_headline(report, checks, fail_on, ink), Text("")]
    grave = sorted(report.models, key=lambda model: not any(map(gates, model.checks)))
    parts += [table(model, model.path, ink) for model in grave]
    failures = diagnostics.errors(report.errors, ink)
    if failures is not None:
        parts.append(failures)
    took = [] if report.run is None else [duration(report.run.duration_s)]
    parts.append(
        ink.text(SEPARATOR.join([*took, f"exit code {report.summary.exit_code}", "terms: lipcert explain"]), "dim")
    )
    return to_text(parts, style)


def _headline(report: Report, checks: list[CheckRecord], fail_on: str, ink: Ink) -> list[Text]:
    name, role, meaning = _HEADLINES[report.summary.gate]
    count = report.summary.models
    counted = f"{count} {'model' if count == 1 else 'models'}"
    lost = [f"{report.summary.inconclusive} not analysed"] if report.summary.inconclusive else []
    sentence = SEPARATOR.join([meaning.format(level=fail_on), counted, *lost, tally(checks)])
    return verdict_lines(ink, name, role, sentence)
