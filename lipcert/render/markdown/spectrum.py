"""The largest singular values of each layer, where asked for."""

from __future__ import annotations

from lipcert.records import ModelRecord
from lipcert.render.markdown.escape import table
from lipcert.render.wording.spectrum import layers_with_spectrum, spectrum_cells


def spectrum(model: ModelRecord) -> str | None:
    """One row a layer."""
    layers = layers_with_spectrum(model)
    if not layers:
        return None
    rows = [[layer.name, *spectrum_cells(layer)[:3]] for layer in layers]
    return f"## Singular values\n\n{table(['layer', 'values', 'largest (estimate)', 'residual'], rows)}"
