"""What is known of the error on unseen inputs."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import JacobianRecord, ModelRecord
from lipcert.render.notation import nearest, short
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording import generalization as wording


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """Brackets from the samples, bounds from training samples, and what goes with them."""
    if not wording.bounds(model):
        return None
    parts = [
        *_brackets(model, ink),
        *_bounds(model, ink),
        *(ink.text(line, "dim") for line in wording.missing(model)),
        *_margins(model, ink),
        *_measures(model, ink),
    ]
    if isinstance(model.jacobian, JacobianRecord) and model.jacobian.gaps:
        parts.append(ink.text("gaps between training and test samples stand with the Jacobian", "dim"))
    return ink.section(ink.heading("GENERALIZATION", ["error on unseen inputs", wording.premise(model)]), *parts)


def _brackets(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    rows = wording.brackets(model)
    if not rows:
        return []
    ways = list(wording.HOLDOUT.values())[: max(map(len, rows.values()))]
    columns = [Column(header="", justify="left"), *(Column(header=way) for way in ways), Column(header="")]
    mark = ink.mark("probabilistic")
    return [ink.grid(columns, [[ball, *cells, *[""] * (len(ways) - len(cells)), mark] for ball, cells in rows.items()])]


def _bounds(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    found = wording.norm_bounds(model)
    if not found:
        return []
    columns = [Column(header=name, justify="left") for name in ("bound", "", "error at most", "read at", "evidence")]
    rows: list[list[str | Text]] = [
        [
            record.bound,
            wording.where(record),
            ink.marked(wording.value(record), record.soundness),
            wording.margin(record),
            wording.evidence(record),
        ]
        for record in found
    ]
    return [ink.grid(columns, rows)]


def _margins(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    if not model.normalised_margins:
        return []
    head = [Column(header="normalised margin", justify="left"), Column(header="samples", justify="left")]
    columns = [*head, *(Column(header=name) for name in ("q05", "median", "q95", ""))]
    rows: list[list[str | Text]] = [
        [
            record.normalisation,
            record.split,
            *(nearest(at) for at in (record.distribution.q05, record.distribution.median, record.distribution.q95)),
            ink.mark(record.soundness),
        ]
        for record in model.normalised_margins
    ]
    return [ink.grid(columns, rows)]


def _measures(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    if not (model.measures and ink.style.verbose):
        return []
    columns = [Column(header="measure (correlational)", justify="left"), Column(header=""), Column(header="")]
    return [ink.grid(columns, [[one.measure, short(one.value, 4), ink.mark(one.soundness)] for one in model.measures])]
