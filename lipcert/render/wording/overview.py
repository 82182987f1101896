"""One model in one row, for reports with many."""

from __future__ import annotations

from lipcert.records import BracketRecord, Enclosure, MarginRecord, ModelRecord
from lipcert.render.figure import figure, selectors, upper_end
from lipcert.render.notation import share, share_down, share_up
from lipcert.render.wording.checks import tally
from lipcert.render.wording.identity import title
from lipcert.render.wording.verdict import ball, tightest

HEAD = ("model", "checks", "ball", "clean", "certified >=", "attacked <=", "Lipschitz l2 <=")


def row(model: ModelRecord) -> list[str]:
    """Name, checks, and the numbers at the largest radius of the first norm that has any."""
    margins, bracket = model.margins, _widest(model)
    accuracy = "-"
    if isinstance(margins, MarginRecord):
        accuracy = figure(
            share(margins.clean_accuracy, margins.samples), margins.clean_accuracy, "margins.clean_accuracy"
        )
    state = tally(model.checks) if model.checks else ("" if model.status == "analyzed" else model.status)
    return [title(model), state, *_ball(bracket, accuracy), _lipschitz(model)]


def _widest(model: ModelRecord) -> BracketRecord | None:
    order = {"linf": 0, "l2": 1, "l1": 2}
    found = [bracket for bracket in model.brackets if bracket.eps > 0]
    return min(found, key=lambda bracket: (order[bracket.norm], -bracket.eps), default=None)


def _ball(bracket: BracketRecord | None, accuracy: str) -> list[str]:
    if bracket is None:
        return ["-", accuracy, "-", "-"]
    names, low, high = selectors(bracket), bracket.certified_accuracy, bracket.robust_accuracy
    return [
        ball(bracket),
        accuracy,
        figure(share_down(low, bracket.samples), low, "brackets.certified_accuracy", names),
        figure(share_up(high, bracket.samples), high, "brackets.robust_accuracy", names),
    ]


def _lipschitz(model: ModelRecord) -> str:
    best = tightest(model).get("l2")
    if best is None or not isinstance(best.value, Enclosure):
        return "-"
    return upper_end(best.value, "lipschitz.value", selectors(best))
