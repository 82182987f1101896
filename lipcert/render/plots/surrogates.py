"""Surrogates of the robust loss against what attacks found."""

from __future__ import annotations

from matplotlib.axes import Axes

from lipcert.records import JacobianRecord, ModelRecord, Skipped, SurrogateRecord
from lipcert.render.notation import nearest, radius
from lipcert.render.plots import canvas
from lipcert.render.plots.canvas import Picture

_MARKS = {
    "first_order": ("<", "accent"),
    "pairwise": (">", "proved"),
    "max_pair": ("s", "muted"),
    "jacobian": ("D", "line"),
}
_LEAST = 1e-6


def pictures(model: ModelRecord, prefix: str) -> list[Picture]:
    """One row a ball, losses along it on a logarithmic scale."""
    record = model.jacobian
    if not isinstance(record, JacobianRecord) or isinstance(record.surrogates, Skipped) or not record.surrogates:
        return []
    with canvas.style():
        sheet, (axes,) = canvas.sheet(9.4, 1.15 + 0.27 * len(record.surrogates))
        for row, each in enumerate(record.surrogates):
            _row(axes, row, each)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda *_: "")
        canvas.ticks(
            axes,
            [float(row) for row in range(len(record.surrogates))],
            [_ball(s) for s in record.surrogates],
            vertical=True,
        )
        axes.set_ylim(len(record.surrogates) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("mean loss, nats")
        axes.grid(axis="x")
        axes.set_title("surrogates of the robust loss against attacks")
        sheet.legend(fontsize=7.5, ncols=6, loc="outside lower center")
        words = "; ".join(_words(each) for each in record.surrogates)
        return [canvas.picture(sheet, f"{prefix}-surrogates", "Surrogates of the robust loss and attacked loss", words)]


def _ball(record: SurrogateRecord) -> str:
    return f"{record.norm} {radius(record.eps)}"


def _row(axes: Axes, row: int, record: SurrogateRecord) -> None:
    def label(text: str) -> str | None:
        return None if row else text

    losses = {each.name: max(each.loss.mean, _LEAST) for each in record.surrogates}
    clean = max(record.clean_loss, _LEAST)
    ends = [clean, *losses.values()]
    axes.plot([min(ends), max(ends)], [row, row], color=canvas.color("line"), lw=3, solid_capstyle="round", zorder=1)
    axes.plot([clean], [row], "|", color=canvas.color("fg"), ms=9, mew=1.5, label=label("clean"))
    for name, value in losses.items():
        sign, role = _MARKS[name]
        face = canvas.color(role)
        axes.plot(
            [value],
            [row],
            sign,
            color=face,
            mec=canvas.color("muted"),
            mew=0.4,
            ms=5.5,
            label=label(name.replace("_", "-")),
        )
    if record.robust_loss is not None:
        attacked = max(record.robust_loss, _LEAST)
        axes.plot(
            [attacked], [row], "o", color=canvas.color("measured"), ms=7, mfc="none", mew=1.8, label=label("attacked")
        )


def _words(record: SurrogateRecord) -> str:
    losses = ", ".join(f"{each.name} {nearest(each.loss.mean)}" for each in record.surrogates)
    attacked = "" if record.robust_loss is None else f", attacked {nearest(record.robust_loss)}"
    return f"{_ball(record)}: clean {nearest(record.clean_loss)}{attacked}, {losses}"
