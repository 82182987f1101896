"""The layers, each as a linear operator at its real input size."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import Enclosure, LayerRecord, ModelRecord, Skipped
from lipcert.render.notation import count, interval, relative_gap, shape, upper_end
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording.gaps import layer_note

_MEDIUM, _WIDE = 104, 140


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """One line a layer; a star where a note below speaks of it."""
    if isinstance(model.layers, Skipped) or not model.layers:
        return None
    columns = _columns(ink.width)
    rows = [_row(layer, ink) for layer in model.layers]
    notes = [ink.text(f"* {layer.name}: {note}") for layer in model.layers if (note := layer_note(layer))]
    heading = ink.heading("LAYERS", ["norms of the operator at its input size, lower - upper"])
    return ink.section(heading, ink.grid(columns, rows), *notes)


def _columns(width: int) -> list[Column]:
    columns = [
        Column(header="", justify="left", fold=True, limit=max(12, width // 5)),
        Column(header="operator", justify="left", fold=True, limit=max(20, width // 3)),
        Column(header="spectral norm", justify="left"),
        Column(header="gap"),
        Column(header="rank" if width < _MEDIUM else "stable rank"),
        Column(header="share"),
    ]
    if width >= _MEDIUM:
        columns += [Column(header="linf norm"), Column(header="l1 norm")]
    if width >= _WIDE:
        columns += [Column(header="Frobenius"), Column(header="parameters"), Column(header="shape", justify="left")]
    return columns


def _row(layer: LayerRecord, ink: Ink) -> list[str | Text]:
    name = ink.text(layer.name)
    if layer_note(layer):
        name.append(" *")
    norm = layer.spectral_norm
    row: list[str | Text] = [
        name,
        layer.description or layer.op,
        "skipped" if isinstance(norm, Skipped) else ink.marked(interval(norm), norm.soundness),
        "-" if isinstance(norm, Skipped) else relative_gap(norm),
        _upper(layer.stable_rank, 3),
        "-" if layer.share is None else f"{100 * layer.share:.0f} %",
    ]
    if ink.width >= _MEDIUM:
        row += [_upper(layer.linf_norm), _upper(layer.l1_norm)]
    if ink.width >= _WIDE:
        shapes = f"{shape(layer.input_shape)} -> {shape(layer.output_shape)}"
        row += [_upper(layer.frobenius_norm), count(layer.parameters), shapes]
    return row


def _upper(value: Enclosure | Skipped, digits: int = 4) -> str:
    return "skipped" if isinstance(value, Skipped) else upper_end(value, digits)
