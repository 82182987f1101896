"""Singular values of layers, in words."""

from __future__ import annotations

from lipcert.records import LayerRecord, ModelRecord, Skipped
from lipcert.render.notation import SPARKS, lower, upper

_SHOWN = 6
_WIDTH = 12


def layers_with_spectrum(model: ModelRecord) -> tuple[LayerRecord, ...]:
    """The layers whose singular values were asked for and found."""
    if isinstance(model.layers, Skipped):
        return ()
    return tuple(layer for layer in model.layers if layer.spectrum is not None and layer.spectrum.values)


def spectrum_cells(layer: LayerRecord) -> tuple[str, str, str, str]:
    """How many there are, the first few, the largest residual, and their fall as a line of blocks."""
    found = layer.spectrum
    assert found is not None
    count = len(found.values)
    first = "  ".join(lower(value, 4) for value in found.values[:_SHOWN]) + (" ..." if count > _SHOWN else "")
    return f"all {count}" if found.complete else str(count), first, upper(max(found.residuals), 1), _fall(found.values)


def _fall(values: tuple[float, ...]) -> str:
    """Heights relative to the largest, at most a dozen of them, evenly spaced."""
    if not values[0]:
        return ""
    step = max(1, -(-len(values) // _WIDTH))
    return "".join(SPARKS[round(7 * value / values[0])] for value in values[::step])
