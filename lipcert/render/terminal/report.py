"""The report as a person reads it in a terminal."""

from __future__ import annotations

from dataclasses import replace

from rich.console import RenderableType

from lipcert.records import ModelRecord, Report
from lipcert.render.base import RENDERERS
from lipcert.render.style import MARKS, SEPARATOR, Style
from lipcert.render.terminal import (
    attacks,
    brackets,
    certificates,
    checks,
    diagnostics,
    evaluation,
    generalization,
    identity,
    jacobian,
    layers,
    margins,
    overview,
    sensitivity,
    spectrum,
    verdict,
)
from lipcert.render.terminal.ink import Ink, to_text
from lipcert.render.wording.lines import circumstances

FOOTER = "terms: lipcert explain"
_TOP = (identity.section, verdict.section, checks.section)
_PAIRS = (
    (brackets.section, certificates.section),
    (sensitivity.section, margins.section),
    (jacobian.section, attacks.section),
)
_BOTTOM = (generalization.section, evaluation.section, layers.section, spectrum.section, diagnostics.findings)
_TWO_COLUMNS = 150


@RENDERERS.register("text")
def render(report: Report, style: Style) -> str:
    """Verdict first; no line wider than `style.width`; ASCII alone where `style.unicode` is off."""
    ink = Ink(style)
    whole = len(report.models) <= overview.MOST_IN_FULL or style.verbose
    lead = [checks.verdict(report, ink), overview.section(report, ink), None if whole else overview.failed(report, ink)]
    parts: list[RenderableType] = [part for part in lead if part is not None]
    for model in report.models if whole else ():
        parts += _model(model, report.settings.analyses, ink)
    failures = diagnostics.errors(report.errors, ink)
    if failures is not None:
        parts.append(failures)
    if report.models:
        parts.append(ink.text("  ".join(f"{mark} {word}" for word, mark in MARKS.items()), "dim"))
    parts.append(ink.text(SEPARATOR.join([*circumstances(report), FOOTER]), "dim"))
    return to_text(parts, style)


def _model(model: ModelRecord, asked: tuple[str, ...], ink: Ink) -> list[RenderableType]:
    top = [section(model, ink) for section in _TOP]
    if ink.style.dense and ink.width >= _TWO_COLUMNS:
        half = Ink(replace(ink.style, width=(ink.width - 4) // 2))
        middle = [ink.beside(left(model, half), right(model, half)) for left, right in _PAIRS]
    else:
        middle = [section(model, ink) for pair in _PAIRS for section in pair]
    bottom = [section(model, ink) for section in _BOTTOM]
    return [*(part for part in [*top, *middle, *bottom] if part is not None), diagnostics.gaps(model, asked, ink)]
