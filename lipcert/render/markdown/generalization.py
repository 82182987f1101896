"""What is known of the error on unseen inputs, as tables."""

from __future__ import annotations

from lipcert.records import ModelRecord
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.notation import nearest, short
from lipcert.render.wording import generalization as wording


def generalization(model: ModelRecord) -> str | None:
    """Brackets, bounds, normalised margins and measures."""
    if not wording.bounds(model):
        return None
    parts = ["## Generalization", escape(wording.premise(model))]
    if rows := wording.brackets(model):
        ways = list(wording.HOLDOUT.values())[: max(map(len, rows.values()))]
        body = [[ball, *cells, *[""] * (len(ways) - len(cells)), "probabilistic"] for ball, cells in rows.items()]
        parts.append(table(["true risk", *ways, "evidence"], body))
    if found := wording.norm_bounds(model):
        cells = [[one.bound, wording.where(one), wording.value(one), wording.margin(one)] for one in found]
        rows_ = [[*row, wording.evidence(one)] for row, one in zip(cells, found, strict=True)]
        parts.append(table(["bound", "ball", "error at most", "read at", "evidence"], rows_))
    if lines := wording.missing(model):
        parts.append(bullets(lines))
    if model.normalised_margins:
        spreads = [(one, one.distribution) for one in model.normalised_margins]
        margins = [
            [one.normalisation, one.split, *map(nearest, (at.q05, at.median, at.q95)), str(one.soundness)]
            for one, at in spreads
        ]
        parts.append(table(["normalised margin", "samples", "q05", "median", "q95", "evidence"], margins))
    if model.measures:
        values = [[one.measure, short(one.value, 4), str(one.soundness)] for one in model.measures]
        parts.append(table(["measure", "value", "evidence"], values))
    return "\n\n".join(parts)
