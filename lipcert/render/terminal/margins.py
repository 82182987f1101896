"""Margins, loss and accuracy of the clean samples."""

from __future__ import annotations

from rich.console import RenderableType

from lipcert.records import MarginRecord, ModelRecord
from lipcert.render.notation import count, nearest, share, sparkline
from lipcert.render.terminal.ink import Column, Ink


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """Accuracy, loss, the spread of the margin and the classes that fare worst."""
    record = model.margins
    if not isinstance(record, MarginRecord):
        return None
    spread = record.distribution
    names = ("min", "q05", "median", "q95", "max")
    columns = [Column(header="", justify="left"), *(Column(header=name) for name in names)]
    columns.append(Column(header="spread", justify="left"))
    points = (spread.min, spread.q05, spread.median, spread.q95, spread.max)
    histogram = ink.text(sparkline(spread.counts, 12 if ink.width < 110 else 24), "measured")
    grid = ink.grid(columns, [["margin, logits", *map(nearest, points), histogram]])
    accuracy = f"accuracy {share(record.clean_accuracy, record.samples)}"
    facts = [f"{count(record.samples)} samples", accuracy, f"loss {nearest(record.clean_loss)} nats"]
    return ink.section(ink.heading("CLEAN SAMPLES", facts), grid, ink.text(_classes(record)))


def _classes(record: MarginRecord) -> str:
    seen = [(accuracy, index) for index, accuracy in enumerate(record.class_accuracy) if accuracy is not None]
    if not seen:
        return "no class has samples"
    worst = [(accuracy, index) for accuracy, index in sorted(seen) if accuracy < 1][:5]
    absent = len(record.class_accuracy) - len(seen)
    shown = ", ".join(f"class {index}: {nearest(100 * accuracy)} %" for accuracy, index in worst)
    note = f" ({absent} classes without samples)" if absent else ""
    return (f"lowest accuracy: {shown}" if worst else "every class 100 %") + note
