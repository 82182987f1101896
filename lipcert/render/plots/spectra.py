"""Singular values: of the layers, and of the Jacobian at the samples."""

from __future__ import annotations

from collections.abc import Sequence

from lipcert.records import JacobianRecord, ModelRecord, Skipped
from lipcert.render.notation import nearest
from lipcert.render.plots import canvas
from lipcert.render.plots.canvas import Picture
from lipcert.render.style import visible

_MOST = 6
_STYLES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
_ROLES = ("proved", "measured", "accent", "fg", "bad", "muted")


def layers(model: ModelRecord, prefix: str) -> list[Picture]:
    """The largest singular values of the first layers that have any, a line each."""
    found = () if isinstance(model.layers, Skipped) else model.layers
    known = [
        (layer.name, layer.spectrum.values) for layer in found if layer.spectrum and len(layer.spectrum.values) > 1
    ]
    return [_layers(known[:_MOST], f"{prefix}-spectra")] if known else []


def jacobian(model: ModelRecord, prefix: str) -> list[Picture]:
    """The mean singular values of the Jacobian at the samples."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord) or len(record.singular_spectrum) < 2:
        return []
    return [_jacobian(record.singular_spectrum, f"{prefix}-jacobian-spectrum")]


def _layers(known: Sequence[tuple[str, Sequence[float]]], name: str) -> Picture:
    with canvas.style():
        sheet, (axes,) = canvas.sheet()
        for (label, values), line, role in zip(known, _STYLES, _ROLES, strict=False):
            axes.plot(
                range(1, len(values) + 1), values, ls=line, color=canvas.color(role), lw=1.3, label=visible(label)[:24]
            )
        axes.set_ylim(bottom=0)
        axes.set_title("largest singular values of the layers")
        axes.set_xlabel("rank")
        axes.grid()
        axes.legend(fontsize=7.5)
        words = "; ".join(f"{label} from {nearest(values[0])} to {nearest(values[-1])}" for label, values in known)
        return canvas.picture(sheet, name, "Singular values of the layers by rank", words)


def _jacobian(values: Sequence[float], name: str) -> Picture:
    with canvas.style():
        sheet, (axes,) = canvas.sheet(4.6, 2.2)
        axes.bar(range(1, len(values) + 1), values, width=0.7, color=canvas.color("accent"), lw=0)
        axes.set_title("mean singular values of the Jacobian")
        axes.set_xlabel("rank")
        axes.grid(axis="y")
        words = ", ".join(nearest(value) for value in values[:10])
        return canvas.picture(sheet, name, "Mean singular values of the Jacobian over the samples", words)
