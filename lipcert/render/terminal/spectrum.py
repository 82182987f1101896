"""The largest singular values of each layer, where asked for."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import ModelRecord, Soundness
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.spectrum import layers_with_spectrum, spectrum_cells

_MEDIUM = 104


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """One line a layer."""
    layers = layers_with_spectrum(model)
    if not layers:
        return None
    columns = [
        Column(header="", justify="left", fold=True, limit=max(12, ink.width // 5)),
        Column(header="values"),
        Column(header="largest", justify="left"),
        Column(header="residual"),
        *(Column(header="fall", justify="left") for _ in range(ink.width >= _MEDIUM)),
    ]
    rows: list[list[str | Text]] = []
    for layer in layers:
        count, first, residual, fall = spectrum_cells(layer)
        cells: list[str | Text] = [ink.text(layer.name), count, ink.marked(first, Soundness.ESTIMATE), residual, fall]
        rows.append(cells[: len(columns)])
    return ink.section(ink.heading("SINGULAR VALUES", ["of each affine layer, from below"]), ink.grid(columns, rows))
