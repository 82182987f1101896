"""Robust accuracy against the radius, from both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from matplotlib.axes import Axes

from lipcert.records import BracketRecord, Distribution, ModelRecord
from lipcert.render.notation import radius, short
from lipcert.render.plots import canvas
from lipcert.render.plots.canvas import Picture

_NORMS = ("linf", "l2", "l1")
Point = tuple[float, float]
"""A radius and a share of the samples."""


def pictures(model: ModelRecord, prefix: str) -> list[Picture]:
    """One picture a norm that has brackets."""
    found = []
    for norm in _NORMS:
        brackets = _at(model, norm)
        if len(brackets) > 1:
            found.append(_picture(model, brackets, f"{prefix}-accuracy-{norm}"))
    return found


def _at(model: ModelRecord, norm: str) -> list[BracketRecord]:
    """The clean bracket, which is that of every norm, and those of this one, by radius."""
    found = {b.eps: b for b in model.brackets if b.eps == 0 or b.norm == norm}
    return [found[eps] for eps in sorted(found)] if any(b.norm == norm and b.eps for b in model.brackets) else []


def _picture(model: ModelRecord, brackets: Sequence[BracketRecord], name: str) -> Picture:
    norm, widest = brackets[-1].norm, brackets[-1].eps
    points = [(b.eps, b.certified_accuracy) for b in brackets]
    for record in model.radii:
        if record.norm == norm:
            points += _survivors(record.certified_radius)
    broken = [(b.eps, b.robust_accuracy) for b in brackets]
    for found in model.adversarial_radii:
        if found.norm == norm:
            broken += [(point.eps, point.robust_accuracy) for point in found.curve]
    with canvas.style():
        sheet, (axes,) = canvas.sheet(4.6, 2.9)
        _draw(axes, brackets, _from_below(points, widest), _from_above(broken, widest))
        axes.set_title(f"{norm} balls")
        sheet.legend(loc="outside lower center", ncols=4, fontsize=7.5)
        return canvas.picture(sheet, name, f"Robust accuracy against the radius, {norm}", _words(brackets))


def _survivors(spread: Distribution) -> Iterator[Point]:
    """At the left edge of each bin of the radii, the share of the samples in it and above."""
    width = (spread.max - spread.min) / max(len(spread.counts), 1)
    total = sum(spread.counts)
    for index in range(len(spread.counts)):
        if total:
            yield max(spread.min + index * width, 0.0), sum(spread.counts[index:]) / total


def _from_below(points: Sequence[Point], widest: float) -> list[Point]:
    """The best known lower bound as steps: what holds in a ball holds in every smaller one."""
    best, steps = 0.0, []
    for eps, share in sorted(points, reverse=True):
        best = max(best, share)
        if eps <= widest:
            steps.append((eps, best))
    return steps[::-1]


def _from_above(points: Sequence[Point], widest: float) -> list[Point]:
    """The best known upper bound as steps: what is broken in a ball is broken in every larger one."""
    best, steps = 1.0, []
    for eps, share in sorted(points):
        best = min(best, share)
        if eps <= widest:
            steps.append((eps, best))
    return steps


def _draw(axes: Axes, brackets: Sequence[BracketRecord], low: Sequence[Point], high: Sequence[Point]) -> None:
    eps = [bracket.eps for bracket in brackets]
    confidence = short(100 * brackets[0].population_risk.confidence)
    risks = [(b.eps, 1 - b.population_risk.upper, 1 - b.population_risk.lower) for b in brackets]
    for index, ((left, _, top), (right, bottom, _)) in enumerate(pairwise(risks)):
        name = None if index else f"true accuracy, {confidence} %"
        axes.fill_between([left, right], bottom, top, color=canvas.color("soft"), lw=0, label=name)
    _between(axes, low, high)
    steps: tuple[tuple[Sequence[Point], Literal["pre", "post"], str, float], ...]
    steps = ((high, "post", "measured", 1.3), (low, "pre", "proved", 1.6))
    for points, step, role, width in steps:
        axes.step(
            [at for at, _ in points], [share for _, share in points], where=step, color=canvas.color(role), lw=width
        )
    axes.plot(
        eps,
        [b.robust_accuracy for b in brackets],
        "o",
        color=canvas.color("measured"),
        ms=5,
        mfc="none",
        label="attacked",
    )
    axes.plot(eps, [b.certified_accuracy for b in brackets], "o", color=canvas.color("proved"), ms=4, label="certified")
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlim(0, eps[-1] * 1.04)
    canvas.ticks(axes, [0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"], vertical=True)
    canvas.ticks(axes, eps, [radius(value) for value in eps])
    axes.set_xlabel("radius eps")
    axes.grid(axis="y")


def _between(axes: Axes, low: Sequence[Point], high: Sequence[Point]) -> None:
    """Shade what neither side decides."""
    edges = sorted({at for at, _ in (*low, *high)})
    bottom = [max((share for at, share in low if at >= right), default=0.0) for right in edges[1:]]
    top = [min((share for at, share in high if at <= left), default=1.0) for left in edges[:-1]]
    axes.fill_between(
        edges,
        [*bottom, bottom[-1]],
        [*top, top[-1]],
        step="post",
        color=canvas.color("undecided"),
        lw=0,
        label="undecided",
    )


def _words(brackets: Sequence[BracketRecord]) -> str:
    points = (
        f"at {radius(b.eps)} certified {100 * b.certified_accuracy:.1f} %, attacked {100 * b.robust_accuracy:.1f} %"
        for b in brackets
    )
    return "; ".join(points)
