"""Spectral norms of the layers and their shares of the product."""

from __future__ import annotations

from matplotlib.axes import Axes

from lipcert.records import Enclosure, LayerRecord, ModelRecord, Skipped
from lipcert.render.plots import canvas
from lipcert.render.plots.canvas import Picture

_MOST = 30
_LONGEST = 28


def pictures(model: ModelRecord, prefix: str) -> list[Picture]:
    """Bars of norm and share, a layer a row; nothing for a single layer."""
    layers = [] if isinstance(model.layers, Skipped) else [layer for layer in model.layers if _norm(layer) is not None]
    if len(layers) < 2:
        return []
    shown = _largest(layers)
    with canvas.style():
        sheet, (norms, shares) = canvas.sheet(9.4, 0.6 + 0.21 * len(shown), columns=2)
        _bars(norms, shown, [_norm(layer) or 0.0 for layer in shown], "proved")
        norms.axvline(1, color=canvas.color("muted"), lw=0.8, ls=":")
        norms.set_title("spectral norm, upper end (dotted: 1)")
        _bars(shares, shown, [100 * (layer.share or 0) for layer in shown], "accent")
        shares.set_yticklabels([])
        shares.set_title("share of the log of the product, %")
        words = "; ".join(f"{layer.name} {_norm(layer):.3g}" for layer in shown)
        title = "Layer norms and shares" + (f", the {_MOST} largest shares" if len(shown) < len(layers) else "")
        return [canvas.picture(sheet, f"{prefix}-layers", title, words)]


def _norm(layer: LayerRecord) -> float | None:
    norm = layer.spectral_norm
    return norm.upper if isinstance(norm, Enclosure) and norm.upper is not None and norm.upper < 1e30 else None


def _largest(layers: list[LayerRecord]) -> list[LayerRecord]:
    kept = sorted(layers, key=lambda layer: -(layer.share or 0))[:_MOST]
    return [layer for layer in layers if layer in kept][:_MOST]


def _bars(axes: Axes, layers: list[LayerRecord], values: list[float], role: str) -> None:
    places = [float(place) for place in range(len(layers))]
    axes.barh(places, values, height=0.62, color=canvas.color(role), lw=0)
    names = [layer.name if len(layer.name) <= _LONGEST else f"{layer.name[: _LONGEST - 3]}..." for layer in layers]
    canvas.ticks(axes, places, names, vertical=True)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
