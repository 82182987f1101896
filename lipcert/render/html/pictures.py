"""Where the page gets its pictures from, and what it does without matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, final

from lipcert.records import ModelRecord
from lipcert.render.html.markup import Html, element

_DRAWERS = {
    "accuracy": ("accuracy", "pictures"),
    "layers": ("layers", "pictures"),
    "spectra": ("spectra", "layers"),
    "spectrum": ("spectra", "jacobian"),
    "jacobian": ("histograms", "jacobian"),
    "margins": ("histograms", "margins"),
    "radii": ("histograms", "radii"),
    "surrogates": ("surrogates", "pictures"),
    "generalization": ("generalization", "pictures"),
}
WIDE = {"layers", "surrogates", "generalization"}


@final
class Gallery:
    """Pictures by name; none at all where matplotlib is not installed."""

    def __init__(self, *, available: bool) -> None:
        self.available = available

    def show(self, model: ModelRecord, anchor: str, names: Sequence[str]) -> Html | None:
        """The pictures of these names side by side, each with what it shows in words; None where there are none."""
        if not self.available:
            return None
        figures = [
            element("figure", Html(picture.svg), class_="wide" if name in WIDE else None)
            for name in names
            for picture in _drawer(name)(model, anchor)
        ]
        return element("div", *figures, class_="plots") if figures else None


def gallery() -> Gallery:
    """A gallery, open where matplotlib is installed."""
    return Gallery(available=find_spec("matplotlib") is not None)


def _drawer(name: str) -> Callable[[ModelRecord, str], list[Any]]:
    module, function = _DRAWERS[name]
    found: Callable[[ModelRecord, str], list[Any]] = getattr(import_module(f"lipcert.render.plots.{module}"), function)
    return found
