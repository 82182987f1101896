"""The figures of the papers, drawn from what the audits found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sample_models.recipes.claim import Evidence
from sample_models.recipes.zoo import DIGITS, L2, MNIST_L2, SEEDS

_NETS = ("standard", "pgm", "data_dependent", "global_spectral", "jacobian_f")
_DEVIATION = "deviation cross-entropy attack "
Picture = tuple[str, Callable[[Axes, Evidence], None]]


def draw(found: Evidence, folder: Path) -> dict[str, str]:
    """Write every picture there are numbers for; file name -> what it shows."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    # Text as text, and no date: the same numbers give the same file.
    settings = {"svg.fonttype": "none", "svg.hashsalt": "lipcert", "font.size": 9}
    for name, (words, picture) in _PICTURES.items():
        with mpl.rc_context(settings):
            figure = Figure(figsize=(5.6, 3.2), layout="constrained")
            axes = figure.subplots()
            picture(axes, found)
            if not axes.has_data():
                continue
            axes.spines[["top", "right"]].set_visible(False)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(frameon=False, fontsize=8)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        drawn[f"{name}.svg"] = words
    return drawn


def _means(found: Evidence, recipe: str, quantity: Callable[[Mapping[str, Any]], Any]) -> Any:
    """The mean over the seeds there are, entry by entry; None where there are none."""
    values = []
    for key in (recipe, *(f"{recipe}_{seed}" for seed in SEEDS)):
        try:
            values.append(quantity(found[key]))
        except KeyError:
            continue
    if not values:
        return None
    if isinstance(values[0], list):
        return [sum(entries) / len(entries) for entries in zip(*values, strict=True)]
    return sum(values) / len(values)


def _spectra(axes: Axes, found: Evidence) -> None:
    _ranked(axes, found, "spectrum", _NETS)
    axes.set(xlabel="rank", ylabel="singular value of J, mean", yscale="log")


def _alignment(axes: Axes, found: Evidence) -> None:
    _ranked(axes, found, f"alignment cross-entropy attack {L2:g}", _NETS)
    values = _means(found, "standard", lambda one: one["alignment random 0"])
    if values:
        axes.plot(range(1, len(values) + 1), values, ":", color="grey", label="random direction")
    axes.set(xlabel="rank of the singular vector", ylabel="|cos| with the attack, mean")


def _ranked(axes: Axes, found: Evidence, quantity: str, nets: tuple[str, ...]) -> None:
    for net in nets:
        values = _means(found, net, lambda one: one[quantity])
        if values:
            axes.plot(range(1, len(values) + 1), values, marker=".", label=net)


def _linearity(axes: Axes, found: Evidence) -> None:
    names = {name for one in found.values() for name in one if name.startswith(_DEVIATION)}
    sizes = sorted(float(name.removeprefix(_DEVIATION)) for name in names)
    for net in _NETS:
        points = [(size, _means(found, net, lambda one, size=size: one[f"{_DEVIATION}{size:g}"])) for size in sizes]
        known = [(size, value) for size, value in points if value is not None]
        if known:
            axes.plot(*zip(*known, strict=True), marker=".", label=net)
    axes.axvline(L2, color="grey", linewidth=0.7)
    axes.set(xlabel="l2 length of the attack", ylabel="|f(x+z) - f(x) - Jz|, mean", xscale="log", yscale="log")


def _normalised(axes: Axes, found: Evidence) -> None:
    names = ("standard", "cap4", "random_labels", "random_labels_cap4")
    for height, net in enumerate(names):
        for end, style in (("q05", "|"), ("median", "o"), ("q95", "|")):
            value = _means(found, net, lambda one, end=end: one["normalised_farnia"][end])
            if value is not None:
                axes.plot([value], [height], style, color="C0" if "random" not in net else "C1")
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="normalised margin: 5 %, median, 95 %")
    if axes.has_data():
        axes.set_xscale("symlog", linthresh=1e-4)


def _cap_gaps(axes: Axes, found: Evidence) -> None:
    """Both sides under the same attack: the gap's own."""
    nets = {"none": "pgm", "2": "pgm_cap2", "1.3": "pgm_cap1.3"}
    for index, (data, prefix, eps) in enumerate((("digits", "", L2), ("MNIST", "mnist_", MNIST_L2))):
        train, gap = (f"{side}_robust_accuracy_l2_{eps:g}" for side in ("train", "gap"))
        lines = {"training": lambda one, of=train: one[of], "test": lambda one, of=train, gap=gap: one[of] - one[gap]}
        for (side, quantity), style in zip(lines.items(), ("--", "-"), strict=True):
            values = [_means(found, prefix + net, quantity) for net in nets.values()]
            if None not in values:
                axes.plot(list(nets), values, style, marker="o", color=f"C{index}", label=f"{data}, l2 {eps:g}, {side}")
    axes.set(xlabel="cap beta of PGM-trained nets", ylabel="accuracy under attack")


def _surrogates(axes: Axes, found: Evidence) -> None:
    for name, label in (("first_order", "first order"), ("pairwise", "pairwise"), ("jacobian", "Frobenius")):
        points = [
            (one[f"robust_loss_l2_{L2:g}"], one[f"{name}_l2_{L2:g}"])
            for one in found.values()
            if f"{name}_l2_{L2:g}" in one and f"robust_loss_l2_{L2:g}" in one
        ]
        if points:
            axes.plot(*zip(*points, strict=True), ".", label=label)
    if axes.has_data():
        low, high = axes.get_xlim()
        axes.axline((max(low, 0.1), max(low, 0.1)), (high, high), color="grey", linewidth=0.7)
        axes.set(xscale="log", yscale="log")
    axes.set(xlabel="loss under l2 attack", ylabel="surrogate")


def _gaps(axes: Axes, found: Evidence) -> None:
    for index, recipe in enumerate(DIGITS):
        x = _means(found, recipe, lambda one: one["frobenius"])
        y = _means(found, recipe, lambda one: one[f"gap_robust_loss_l2_{L2:g}"])
        if x is not None and y is not None:
            axes.plot([x], [y], "o", color=f"C{index % 10}")
            axes.annotate(recipe, (x, y), fontsize=6, xytext=(3, 2), textcoords="offset points")
    axes.set(xlabel="Frobenius norm of J, mean", ylabel="gap of the loss under l2 attack")
    if axes.has_data():
        axes.set_xscale("log")


def _functionals(axes: Axes, found: Evidence) -> None:
    for index, recipe in enumerate(DIGITS):
        x = _means(found, recipe, lambda one: one["cross_lipschitz"])
        y = _means(found, recipe, lambda one: one["input_gradient"])
        if x is not None and y is not None:
            axes.plot([x], [y], "o", color=f"C{index % 10}")
            axes.annotate(recipe, (x, y), fontsize=6, xytext=(3, 2), textcoords="offset points")
    axes.set(xlabel="cross-Lipschitz functional, mean", ylabel="squared input gradient, mean")
    if axes.has_data():
        axes.set(xscale="log", yscale="log")


_PICTURES: dict[str, Picture] = {
    "spectra": ("Spectra of the Jacobian (Roth et al.)", _spectra),
    "alignment": ("Alignment of attacks with singular vectors (Roth et al.)", _alignment),
    "linearity": ("Deviation from linearity along attacks (Roth et al.)", _linearity),
    "margins": ("Normalised margins, true against random labels (Farnia et al.)", _normalised),
    "caps": ("Accuracy under attack against the cap (Farnia et al.)", _cap_gaps),
    "surrogates": ("Surrogates against the loss under attack, one point a net (Wu & Li)", _surrogates),
    "gaps": ("Robust gap against the Jacobian norm (Wu & Li)", _gaps),
    "functionals": ("Functionals that do not follow each other (Guo et al.)", _functionals),
}
