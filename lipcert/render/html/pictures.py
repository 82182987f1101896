"""Where the page gets its pictures from, and what it does without matplotlib."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, final

from lipcert.records import ModelRecord
from lipcert.render.html.markup import Html, element, paragraph
from lipcert.render.notation import size

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
_LARGEST_SHEET = 100_000
WIDE = {"layers", "surrogates", "generalization"}


@final
class Gallery:
    """Pictures by name; no plots at all where matplotlib is not installed."""

    def __init__(self, *, available: bool, sheet: bytes | None = None) -> None:
        self.available = available
        self._sheet = sheet

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

    def adversarials(self) -> Html | None:
        """The sheet of adversarial examples, where there is one that is not too large for a page."""
        if self._sheet is None:
            return None
        if len(self._sheet) > _LARGEST_SHEET:
            return paragraph(f"The sheet of adversarial examples is too large to stand here: {size(len(self._sheet))}.")
        address = f"data:image/png;base64,{base64.b64encode(self._sheet).decode('ascii')}"
        words = "Adversarial examples, one a row: the clean sample, the error found, and their difference"
        image = element("img", src=address, alt=words)
        more = "stretched to full contrast; the first samples broken, norm by norm, in the largest ball of each"
        return element("figure", image, element("figcaption", f"{words}, {more}."), class_="sheet")


def gallery(sheet: bytes | None = None) -> Gallery:
    """A gallery, with plots where matplotlib is installed."""
    return Gallery(available=find_spec("matplotlib") is not None, sheet=sheet)


def _drawer(name: str) -> Callable[[ModelRecord, str], list[Any]]:
    module, function = _DRAWERS[name]
    found: Callable[[ModelRecord, str], list[Any]] = getattr(import_module(f"lipcert.render.plots.{module}"), function)
    return found
