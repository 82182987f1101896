"""What is known of the error on unseen inputs, as tables."""

from __future__ import annotations

from lipcert.records import AllLayerMarginRecord, Distribution, ModelRecord
from lipcert.render.markdown.escape import bullets, escape, table
from lipcert.render.notation import nearest, short
from lipcert.render.wording import generalization as wording
from lipcert.render.wording import training_gaps


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
        parts.append(table(["bound", "ball", "error at most", "read at margin", "evidence"], rows_))
        parts.append(escape(wording.summary(model)))
    if lines := wording.missing(model):
        parts.append(bullets(lines))
    parts += [*_gaps(model), *_margins(model), *_resilience(model)]
    if model.measures:
        values = [[one.measure, short(one.value, 4), str(one.soundness)] for one in model.measures]
        parts.append(table(["measure", "value", "evidence"], values))
    return "\n\n".join(parts)


def _gaps(model: ModelRecord) -> list[str]:
    records = training_gaps.gaps(model)
    if not records:
        return []
    rows = [[*training_gaps.row(one), str(one.soundness)] for one in records]
    return [table([*training_gaps.HEAD, "evidence"], rows), bullets(training_gaps.attacks(records))]


def _margins(model: ModelRecord) -> list[str]:
    shown: list[tuple[str, str, Distribution, str]] = [
        (one.normalisation, one.split, one.distribution, one.soundness) for one in model.normalised_margins
    ]
    deep = model.all_layer_margin
    if isinstance(deep, AllLayerMarginRecord):
        shown.append(("all-layer, at most", deep.split, deep.upper, deep.soundness))
    rows = [
        [name, split, *map(nearest, (at.q05, at.median, at.q95)), str(soundness)]
        for name, split, at, soundness in shown
    ]
    return [table(["margin over size", "samples", "q05", "median", "q95", "evidence"], rows)] if rows else []


def _resilience(model: ModelRecord) -> list[str]:
    places = training_gaps.resilience(model)
    rows = [
        [one.place, *(nearest(at.median) for at in (one.activation, one.jacobian, one.sensitivity)), str(one.soundness)]
        for one in places
    ]
    head = ["noise at", "length there", "norm of d logits", "sensitivity", "evidence"]
    lines = [*wording.flatness(model), *([training_gaps.sensitive(places)] if places else [])]
    return [*([table(head, rows)] if rows else []), *([bullets(lines)] if lines else [])]
