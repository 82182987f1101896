"""How quantities spread over the samples."""

from __future__ import annotations

from lipcert.records import Distribution, JacobianRecord, MarginRecord, ModelRecord
from lipcert.render.notation import nearest
from lipcert.render.plots import canvas
from lipcert.render.plots.canvas import Picture


def jacobian(model: ModelRecord, prefix: str) -> list[Picture]:
    """The spectral norm of the Jacobian."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord):
        return []
    spread = record.statistics.get("spectral_norm") or record.statistics.get("spectral_norm_lower")
    return _histogram(spread, f"{prefix}-jacobian", "spectral norm of the Jacobian", "accent")


def margins(model: ModelRecord, prefix: str) -> list[Picture]:
    """The margins of the clean samples; those below 0 are misclassified."""
    record = model.margins
    spread = record.distribution if isinstance(record, MarginRecord) else None
    return _histogram(spread, f"{prefix}-margins", "margin of the clean samples, logits", "measured")


def radii(model: ModelRecord, prefix: str) -> list[Picture]:
    """Certified radii, a picture a norm and method."""
    found = []
    for index, record in enumerate(model.radii[:4]):
        found += _histogram(
            record.certified_radius, f"{prefix}-radii-{index}", f"certified radius, {record.norm}", "proved"
        )
    return found


def _histogram(spread: Distribution | None, name: str, title: str, role: str) -> list[Picture]:
    """Bars of equal width over [min, max], with median and the middle 90 %; nothing where all samples agree."""
    if spread is None or len(spread.counts) < 2 or not spread.min < spread.max < 1e30:
        return []
    width = (spread.max - spread.min) / len(spread.counts)
    if not width > 0:
        return []
    with canvas.style():
        sheet, (axes,) = canvas.sheet(4.6, 2.2)
        left = [spread.min + index * width for index in range(len(spread.counts))]
        axes.bar(left, spread.counts, width=width * 0.94, align="edge", color=canvas.color(role), lw=0)
        axes.axvline(spread.median, color=canvas.color("fg"), lw=1)
        axes.axvspan(spread.q05, spread.q95, color=canvas.color("soft"), lw=0, zorder=-1)
        axes.set_title(title)
        axes.set_ylabel("samples")
        axes.set_xlabel("line: median; band: 5 % to 95 %", fontsize=7.5)
        axes.grid(axis="y")
        points = (f"{key} {nearest(getattr(spread, key))}" for key in ("min", "q05", "median", "q95", "max"))
        words = f"{spread.samples} samples: {', '.join(points)}"
        return [canvas.picture(sheet, name, f"Histogram: {title}", words)]
