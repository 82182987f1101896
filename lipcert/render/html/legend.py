"""What the marks beside the numbers mean."""

from __future__ import annotations

from lipcert.render.html.markup import Html, element, mark, section
from lipcert.render.style import MARKS

_MEANING = {
    "proved": "the upper end holds with rounding accounted for",
    "exact": "closed form or exhaustive, to the stated float error",
    "probabilistic": "true with the stated probability",
    "estimate": "converges to the quantity, from a known side",
    "heuristic": "none of these",
    "measured": "observed on these samples; a bound from one side",
}


def legend() -> Html:
    """One line a mark."""
    rows = [
        element("li", mark(str(name)), " ", element("strong", str(name)), f": {_MEANING[str(name)]}") for name in MARKS
    ]
    return section("How far a number can be trusted", "legend", element("ul", *rows, class_="legend"))
