"""The Jacobian of the logits at the samples."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import Distribution, JacobianRecord, ModelRecord
from lipcert.render.notation import count, nearest, sparkline
from lipcert.render.terminal.ink import Column, Ink


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """One line a statistic: median, 95 % quantile, maximum, mean with its interval, histogram."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord):
        return None
    names = ["median", "q95", "max", "mean", *(["95 % interval"] if ink.width >= 110 else [])]
    columns = [Column(header="", justify="left"), *(Column(header=name) for name in names)]
    columns.append(Column(header="spread", justify="left"))
    rows = [_row(name, spread, ink) for name, spread in record.statistics.items()]
    facts = [f"{count(record.samples)} samples", record.dtype, f"{record.soundness} at each sample, no bound elsewhere"]
    parts: list[RenderableType] = [ink.grid(columns, rows)]
    if record.singular_spectrum:
        parts.append(_spectrum(record.singular_spectrum, ink))
    return ink.section(ink.heading("JACOBIAN", facts), *parts)


def _row(name: str, spread: Distribution, ink: Ink) -> list[str | Text]:
    interval = [f"{nearest(spread.ci95[0])} - {nearest(spread.ci95[1])}"] if ink.width >= 110 else []
    return [
        name.replace("_", " "),
        nearest(spread.median),
        nearest(spread.q95),
        nearest(spread.max),
        ink.marked(nearest(spread.mean), "estimate"),
        *interval,
        ink.text(sparkline(spread.counts, 12 if ink.width < 110 else 24), "measured"),
    ]


def _spectrum(values: tuple[float, ...], ink: Ink) -> Text:
    shown = values[: 5 if ink.width < 100 else 10]
    more = f"  ... {len(values)} in all" if len(values) > len(shown) else ""
    return ink.text(f"mean spectrum  {'  '.join(nearest(value) for value in shown)}{more}")
