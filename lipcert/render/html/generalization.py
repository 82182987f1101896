"""What is known of the error on unseen inputs."""

from __future__ import annotations

from lipcert.records import (
    AllLayerMarginRecord,
    Distribution,
    GeneralizationRecord,
    ModelRecord,
    TrainingGapRecord,
)
from lipcert.records.metrics import metric_id
from lipcert.render.figure import Figure, Selectors, figure, selectors
from lipcert.render.html.markup import Html, Part, details, listing, mark, paragraph, table
from lipcert.render.notation import nearest, percent_down, percent_up, short
from lipcert.render.wording import generalization as wording
from lipcert.render.wording import training_gaps


def section(model: ModelRecord) -> list[Html]:
    """Brackets, bounds, normalised margins and measures."""
    if not wording.bounds(model):
        return []
    parts = [paragraph(wording.premise(model), "muted"), *_brackets(model), *_bounds(model)]
    parts += [listing(lines)] if (lines := wording.missing(model)) else []
    return [*parts, *_gaps(model), *_margins(model), *_inside(model), *_measures(model)]


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
    head = ("bound", "ball", "error at most", "log10", "read at margin", "evidence")
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
    return [table("Bounds from training samples", head, rows, text=(1, 4, 5)), paragraph(wording.summary(model))]


def _gaps(model: ModelRecord) -> list[Html]:
    records = training_gaps.gaps(model)
    if not records:
        return []
    rows = [_gap(record) for record in records]
    notes = [paragraph(line, "muted") for line in training_gaps.attacks(records)]
    return [table("Training and test samples", ("", *training_gaps.HEAD[1:]), rows), *notes]


def _gap(record: TrainingGapRecord) -> list[Part]:
    name, train, test, gap, interval = training_gaps.row(record)
    values = (("train", train, record.train), ("test", test, record.test), ("gap", gap, record.gap))
    cells = [figure(shown, value, f"training_gaps.{field}", selectors(record)) for field, shown, value in values]
    return [name, *cells, [interval, mark(record.soundness)]]


def _margins(model: ModelRecord) -> list[Html]:
    rows: list[list[Part]] = []
    for one in model.normalised_margins:
        points = _points(one.distribution, "normalised_margins.distribution", selectors(one))
        rows.append([one.normalisation, one.split, *points, str(one.soundness)])
    deep = model.all_layer_margin
    if isinstance(deep, AllLayerMarginRecord):
        points = _points(deep.upper, "all_layer_margin.upper", ())
        rows.append(["all-layer, at most", deep.split, *points, str(deep.soundness)])
    head = ("margin over size", "samples", "q05", "median", "q95", "evidence")
    return [table("Margins over a measure of size", head, rows, text=(1, 5))] if rows else []


def _points(spread: Distribution, path: str, chosen: Selectors, names: str = "q05 median q95") -> list[Part]:
    values = [(name, float(getattr(spread, name))) for name in names.split()]
    return [figure(nearest(value), value, f"{path}.{name}", chosen) for name, value in values]


def _inside(model: ModelRecord) -> list[Html]:
    """What noise does inside the network."""
    places = training_gaps.resilience(model)
    lines = [*wording.flatness(model), *([training_gaps.sensitive(places)] if places else [])]
    rows: list[list[Part]] = [
        [
            one.place,
            *(_points(getattr(one, field), f"noise_resilience.{field}", selectors(one), "median") for field in _INSIDE),
        ]
        for one in places
    ]
    whole = (
        [details("Noise inside the network", table("Noise inside the network, medians", _NOISE, rows))] if rows else []
    )
    return [*([listing(lines)] if lines else []), *whole]


_INSIDE = ("activation", "jacobian", "sensitivity")
_NOISE = ("noise at", "length there", "|d logits|", "sensitivity")


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
