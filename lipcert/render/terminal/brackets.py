"""Robust accuracy from both sides."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import BracketRecord, ModelRecord
from lipcert.render.notation import bar, count, percent_down, percent_up, share_down, share_up, short
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.generalization import is_trained_on
from lipcert.render.wording.lines import spaces
from lipcert.render.wording.verdict import ball, soundness_at


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """One line a ball: bar, certified, attacked, undecided, true risk."""
    if not model.brackets:
        return None
    confidence = short(100 * model.brackets[0].population_risk.confidence)
    columns = [
        Column(header="", justify="left"),
        Column(header="certified", justify="left"),
        Column(header=""),
        Column(header="attacked"),
        Column(header="undecided"),
        Column(header=f"true risk, {confidence} %"),
    ]
    heading = ink.heading("ROBUST ACCURACY", [f"{count(model.brackets[0].samples)} samples"])
    legend = ink.text("; ".join(spaces(model)), "dim")
    return ink.section(heading, ink.grid(columns, [_row(model, b, ink) for b in model.brackets]), legend)


def _row(model: ModelRecord, record: BracketRecord, ink: Ink) -> list[str | Text]:
    samples, risk = record.samples, record.population_risk
    low, high = share_down(record.certified_accuracy, samples), share_up(record.robust_accuracy, samples)
    clean = record.eps == 0
    soundness = soundness_at(model, record)
    return [
        "clean" if clean else ball(record),
        ink.text(bar(record.certified_accuracy, record.robust_accuracy, _bar_width(ink.width)), soundness),
        ink.marked(low, "measured" if clean else soundness),
        "" if clean else ink.marked(high, "measured"),
        "" if clean else share_up(record.undecided, samples),
        "-" if is_trained_on(model) else f"{percent_down(risk.lower).removesuffix(' %')} - {percent_up(risk.upper)}",
    ]


def _bar_width(width: int) -> int:
    return 16 if width < 100 else 24 if width < 140 else 40
