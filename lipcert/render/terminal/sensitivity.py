"""Lipschitz constants of the network."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import LipschitzRecord, ModelRecord, Skipped
from lipcert.render.figure import inequality
from lipcert.render.notation import relative_gap
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.lipschitz import estimates, reading
from lipcert.render.wording.verdict import upper_end

_ORDER = {"l2": 0, "linf": 1, "l1": 2}


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """One line a method, the tightest of each norm first."""
    if isinstance(model.lipschitz, Skipped) or not model.lipschitz:
        return None
    known = [record for record in model.lipschitz if not isinstance(record.value, Skipped)]
    records = sorted(known, key=lambda record: (_ORDER[record.norm], record.scope, upper_end(record)))
    names = (("norm", "left"), ("scope", "left"), ("constant", "left"), ("gap", "right"), ("method", "left"))
    if not records:
        return None
    columns = [Column(header=name, justify=side) for name, side in names]  # type: ignore[arg-type]
    heading = ink.heading("LIPSCHITZ CONSTANT L", ["input -> logits", "the same norm on both sides"])
    lines = [ink.text(line) for line in (*reading(model), *estimates(model))]
    return ink.section(heading, ink.grid(columns, [_row(record, ink) for record in records]), *lines)


def _row(record: LipschitzRecord, ink: Ink) -> list[str | Text]:
    assert not isinstance(record.value, Skipped)
    return [
        record.norm,
        record.scope,
        ink.marked(inequality(record.value, "L", "lipschitz.value"), record.value.soundness),
        relative_gap(record.value),
        record.method,
    ]
