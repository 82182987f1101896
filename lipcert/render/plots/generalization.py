"""Bounds on the error on unseen inputs, on one scale."""

from __future__ import annotations

from lipcert.records import GeneralizationRecord, ModelRecord, Skipped
from lipcert.render.notation import radius, upper
from lipcert.render.plots import canvas
from lipcert.render.plots.canvas import Picture

_MOST = 24


def pictures(model: ModelRecord, prefix: str) -> list[Picture]:
    """One row a bound, its logarithm along it; what lies right of 0 says nothing."""
    if isinstance(model.generalization, Skipped):
        return []
    found = [(each, each.log10_value) for each in model.generalization if each.log10_value is not None][:_MOST]
    if len(found) < 2:
        return []
    with canvas.style():
        sheet, (axes,) = canvas.sheet(9.4, 0.75 + 0.2 * len(found))
        places = [float(row) for row in range(len(found))]
        right = max(1.0, *(value for _, value in found)) * 1.08
        axes.axvspan(0, right, color=canvas.color("soft"), lw=0, zorder=-1)
        for place, (_, value) in zip(places, found, strict=True):
            role = "proved" if value < 0 else "muted"
            axes.plot([value], [place], "D" if value < 0 else "x", color=canvas.color(role), ms=5, mew=1.4)
        axes.set_xlim(min(-0.2, *(value for _, value in found)) * 1.15, right)
        canvas.ticks(axes, places, [_name(each) for each, _ in found], vertical=True)
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("log10 of the bound; in the band, from 0 on, it is vacuous")
        axes.grid(axis="x")
        axes.set_title("error at most")
        words = "; ".join(f"{_name(each)} 10^{upper(value)}" for each, value in found)
        return [canvas.picture(sheet, f"{prefix}-generalization", "Bounds on the error on unseen inputs", words)]


def _name(record: GeneralizationRecord) -> str:
    where = "clean" if record.norm is None or record.eps is None else f"{record.norm} {radius(record.eps)}"
    return f"{record.bound}, {where}"
