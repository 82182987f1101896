"""What is known of the error on unseen inputs."""

from __future__ import annotations

from lipcert.records import GeneralizationRecord, ModelRecord
from lipcert.records.metrics import metric_id
from lipcert.render.figure import Figure, figure, selectors
from lipcert.render.html.markup import Html, Part, details, listing, mark, paragraph, table
from lipcert.render.notation import nearest, percent_down, percent_up, short
from lipcert.render.wording import generalization as wording


def section(model: ModelRecord) -> list[Html]:
    """Brackets, bounds, normalised margins and measures."""
    if not wording.bounds(model):
        return []
    parts = [paragraph(wording.premise(model), "muted"), *_brackets(model), *_bounds(model)]
    parts += [listing(lines)] if (lines := wording.missing(model)) else []
    return [*parts, *_margins(model), *_measures(model)]


def _brackets(model: ModelRecord) -> list[Html]:
    rows: dict[str, list[Part]] = {}
    for record in wording.bounds(model) if wording.brackets(model) else ():
        if record.bound in wording.HOLDOUT and record.guarantee:
            rows.setdefault(wording.where(record), []).append(_interval(record))
    if not rows:
        return []
    ways = list(wording.HOLDOUT.values())[: max(map(len, rows.values()))]
    body = [[ball, *cells, *[None] * (len(ways) - len(cells)), mark("probabilistic")] for ball, cells in rows.items()]
    return [table("True risk, from the samples", ("ball", *ways, ""), body)]


def _interval(record: GeneralizationRecord) -> Part:
    names, low, high = selectors(record), record.lower, record.terms.get("upper")
    least = percent_down(low or 0.0).removesuffix(" %")
    most = percent_up(1.0 if high is None else high)
    first = least if low is None else Figure(least, metric_id("generalization.lower", names), low)
    last = most if high is None else Figure(most, metric_id("generalization.terms.upper", names), high)
    return [first, " – ", last, " vacuous" if record.vacuous and not record.lower else None]


def _bounds(model: ModelRecord) -> list[Html]:
    found = wording.norm_bounds(model)
    if not found:
        return []
    head = ("bound", "ball", "error at most", "log10", "read at", "evidence")
    rows: list[list[Part]] = [
        [
            record.bound,
            wording.where(record),
            [wording.value(record), mark(record.soundness)],
            "-"
            if record.log10_value is None
            else figure(
                nearest(record.log10_value), record.log10_value, "generalization.log10_value", selectors(record)
            ),
            wording.margin(record),
            wording.evidence(record),
        ]
        for record in found
    ]
    return [table("Bounds from training samples", head, rows, text=(1, 4, 5))]


def _margins(model: ModelRecord) -> list[Html]:
    rows: list[list[Part]] = []
    for record in model.normalised_margins:
        spread, path = record.distribution, "normalised_margins.distribution"
        points = (("q05", spread.q05), ("median", spread.median), ("q95", spread.q95))
        cells = [figure(nearest(value), value, f"{path}.{name}", selectors(record)) for name, value in points]
        rows.append([record.normalisation, record.split, *cells, str(record.soundness)])
    head = ("normalised margin", "samples", "q05", "median", "q95", "evidence")
    return [table("Normalised margins", head, rows, text=(1, 5))] if rows else []


def _measures(model: ModelRecord) -> list[Html]:
    rows: list[list[Part]] = [
        [
            record.measure,
            figure(short(record.value, 4), record.value, "measures.value", selectors(record)),
            str(record.soundness),
        ]
        for record in model.measures
    ]
    if not rows:
        return []
    whole = table(
        "Measures that go with the gap; they bound nothing", ("measure", "value", "evidence"), rows, text=(2,)
    )
    return [details("Correlational measures", whole)]
