"""The comparison as a person reads it in a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records.compare import ChangeRecord, CompareReport, ModelComparison, SideRecord
from lipcert.render.comparison.wording import (
    ends,
    headline,
    label,
    paired,
    reason,
    reasons,
    remarks,
    rest,
    shown,
    verdict,
    word,
)
from lipcert.render.notation import digest
from lipcert.render.style import SEPARATOR, Style
from lipcert.render.terminal import diagnostics
from lipcert.render.terminal.headline import verdict_lines
from lipcert.render.terminal.ink import Column, Ink, to_text

_ROLES = {"worse": "error", "better": "proved", "maybe_worse": "warning", "changed": "note"}
_COLUMNS = (
    Column(header="", justify="left"),
    Column(header="", justify="left", fold=True),
    Column(header="before"),
    Column(header="after"),
    Column(header="why", justify="left", role="dim"),
)
_NARROW = 100
"""Columns below which the reasons stand below the table."""

_PAIRS = (
    Column(header="sample by sample", justify="left", fold=True),
    Column(header="lost"),
    Column(header="won"),
    Column(header="p (McNemar)"),
)
_GRAVE = {"WORSE": "error", "PERHAPS WORSE": "warning", "INCONCLUSIVE": "warning"}


def render(report: CompareReport, style: Style, *, full: bool = False) -> str:
    """The verdict first, then each model's numbers side by side."""
    ink = Ink(style)
    word_of_all = verdict(report)
    parts: list[RenderableType] = [
        *verdict_lines(ink, word_of_all, _GRAVE.get(word_of_all, "proved"), headline(report)),
        Text(""),
    ]
    parts += [_side("before", report.before, ink), _side("after", report.after, ink), Text("")]
    parts += [ink.text(line, "warning") for line in remarks(report)]
    parts += [_model(model, ink, full=full) for model in report.models]
    failures = diagnostics.errors(report.errors, ink)
    if failures is not None:
        parts.append(failures)
    gate = [] if report.gate == "none" else [f"gate {report.gate}"]
    facts = [*gate, f"exit code {report.exit_code}", "? means that what is known leaves it open"]
    parts.append(ink.text(SEPARATOR.join([*facts, "terms: lipcert explain compare"]), "dim"))
    return to_text(parts, style)


def _side(name: str, side: SideRecord, ink: Ink) -> Text:
    count = "" if side.models == 1 else f", {side.models} models"
    return ink.text(f"{name:<7} {side.path} ({side.kind}{count})")


def _model(model: ModelComparison, ink: Ink, *, full: bool) -> RenderableType:
    same = model.before_sha256 == model.after_sha256
    digests = [digest(model.before_sha256), *([] if same else [digest(model.after_sha256)])]
    facts = [("same file " if same else "sha256 ") + " -> ".join(digests)]
    wide = ink.width >= _NARROW
    found = shown(model, full=full)
    rows = [_row(change, ink) for change in found]
    parts: list[RenderableType] = [
        ink.grid(_COLUMNS, rows) if wide else ink.grid(_COLUMNS[:-1], [r[:-1] for r in rows])
    ]
    if not wide:
        why = [ink.text(line, "dim") for line in reasons(found)]
        parts += [Text(""), *why] if why else []
    if model.paired:
        parts += [Text(""), ink.grid(_PAIRS, list(paired(model)))]
    if not full and rest(model):
        parts += [Text(""), ink.text(f"{rest(model)}; --all shows them", "dim")]
    return ink.section(ink.heading(model.after, facts), *parts)


def _row(change: ChangeRecord, ink: Ink) -> list[str | Text]:
    return [
        ink.text(word(change), _ROLES.get(change.verdict, "dim" if change.verdict == "same" else "")),
        label(change.metric),
        ends(change.before),
        ends(change.after),
        reason(change),
    ]
