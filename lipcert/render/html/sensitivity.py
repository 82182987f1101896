"""Lipschitz constants, and the layers they are made of."""

from __future__ import annotations

from lipcert.records import Enclosure, LayerRecord, LipschitzRecord, ModelRecord, Skipped
from lipcert.render import notation
from lipcert.render.figure import ends, figure, selectors, upper_end
from lipcert.render.html.markup import Html, Part, breakable, listing, mark, table
from lipcert.render.notation import count, shape
from lipcert.render.wording import gaps
from lipcert.render.wording.lipschitz import reading
from lipcert.render.wording.spectrum import layers_with_spectrum, spectrum_cells


def lipschitz(model: ModelRecord) -> list[Html]:
    """One row a norm and method, the tightest first, then what they come to."""
    if isinstance(model.lipschitz, Skipped):
        return []
    known = [record for record in model.lipschitz if isinstance(record.value, Enclosure)]
    if not known:
        return []
    rows = [_constant(record) for record in sorted(known, key=_order)]
    head = ("norm", "scope", "constant", "gap", "method")
    whole = table("Lipschitz constants of the logits", head, rows, text=(1, 4), hide=True)
    return [whole, listing(reading(model))] if reading(model) else [whole]


def _order(record: LipschitzRecord) -> tuple[str, str, float]:
    value = record.value
    upper = value.upper if isinstance(value, Enclosure) else None
    return ({"l2": "0", "linf": "1"}.get(record.norm, "2"), record.scope, float("inf") if upper is None else upper)


def _constant(record: LipschitzRecord) -> list[Part]:
    value = record.value
    assert isinstance(value, Enclosure)
    shown = [*ends(value, "lipschitz.value", selectors(record)), mark(value.soundness)]
    return [record.norm, record.scope, shown, notation.relative_gap(value), record.method]


def layers(model: ModelRecord) -> list[Html]:
    """One row a layer, and what to know about some of them."""
    if isinstance(model.layers, Skipped) or not model.layers:
        return []
    head = (
        "layer",
        "operator",
        "spectral norm",
        "gap",
        "stable rank",
        "share",
        "linf norm",
        "l1 norm",
        "Frobenius",
        "parameters",
        "shape",
    )
    rows = [_layer(layer) for layer in model.layers]
    notes = [f"{layer.name}: {note}" for layer in model.layers if (note := gaps.layer_note(layer))]
    whole = table("Layers as linear operators at their input size", head, rows, text=(1, 10), hide=True)
    return [whole, listing(notes)] if notes else [whole]


def _layer(layer: LayerRecord) -> list[Part]:
    names, norm = selectors(layer), layer.spectral_norm
    share = None if layer.share is None else figure(f"{100 * layer.share:.0f} %", layer.share, "layers.share", names)
    return [
        breakable(layer.name),
        layer.description or layer.op,
        "skipped" if isinstance(norm, Skipped) else [*ends(norm, "layers.spectral_norm", names), mark(norm.soundness)],
        "-" if isinstance(norm, Skipped) else notation.relative_gap(norm),
        _upper(layer, "stable_rank", 3),
        share or "-",
        *(_upper(layer, name) for name in ("linf_norm", "l1_norm", "frobenius_norm")),
        figure(count(layer.parameters), layer.parameters, "layers.parameters", names),
        f"{shape(layer.input_shape)} → {shape(layer.output_shape)}",
    ]


def _upper(layer: LayerRecord, name: str, digits: int = 4) -> str:
    value = getattr(layer, name)
    if isinstance(value, Skipped):
        return "skipped"
    return upper_end(value, f"layers.{name}", selectors(layer), digits)


def spectra(model: ModelRecord) -> list[Html]:
    """The largest singular values of the layers, from below."""
    found = layers_with_spectrum(model)
    if not found:
        return []
    rows: list[list[Part]] = []
    for layer in found:
        number, first, residual, _ = spectrum_cells(layer)
        rows.append([layer.name, number, first, residual])
    head = ("layer", "values", "largest", "residual")
    return [table("Singular values of the layers, from below", head, rows, text=(2,))]
