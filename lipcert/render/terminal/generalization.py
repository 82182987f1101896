"""What is known of the error on unseen inputs."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from lipcert.records import AllLayerMarginRecord, Distribution, JacobianRecord, ModelRecord, Skipped
from lipcert.render.notation import nearest, short, sparkline
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording import generalization as wording
from lipcert.render.wording import training_gaps

_WORDS = 120  # columns from which the evidence is spelled out beside its mark


def section(model: ModelRecord, ink: Ink) -> RenderableType | None:
    """Brackets from the samples, bounds from training samples, and what goes with them."""
    if not wording.bounds(model):
        return None
    blocks = [_brackets(model, ink), _bounds(model, ink), _gaps(model, ink), _margins(model, ink), _inside(model, ink)]
    parts: list[RenderableType] = []
    for block in (one for one in blocks if one):
        parts += [Text(""), *block] if parts else block
    hint = [] if ink.style.verbose else ["-v shows all tables"]
    heading = ink.heading("GENERALIZATION", ["error on unseen inputs", wording.premise(model), *hint])
    return ink.section(heading, *parts)


def _brackets(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    rows = wording.brackets(model)
    if not rows:
        return []
    ways = list(wording.HOLDOUT.values())[: max(map(len, rows.values()))]
    columns = [Column(header="fresh samples", justify="left"), *(Column(header=way) for way in ways), Column(header="")]
    mark = ink.mark("probabilistic")
    return [ink.grid(columns, [[ball, *cells, *[""] * (len(ways) - len(cells)), mark] for ball, cells in rows.items()])]


def _bounds(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    """The bounds that have a value, with what they come to, and those that have none."""
    missing: list[RenderableType] = [ink.text(line, "dim") for line in wording.missing(model)]
    found = wording.norm_bounds(model)
    if not found:
        return missing
    spelled = ink.width >= _WORDS
    names = ["bound from training", "", "error at most", "read at margin", *(["evidence"] if spelled else [])]
    rows: list[list[str | Text]] = [
        [
            record.bound,
            wording.where(record),
            ink.marked(wording.value(record), record.soundness),
            wording.reading(record),
            *([str(record.soundness)] if spelled else []),
        ]
        for record in found
    ]
    columns = [Column(header=name, justify="left") for name in names]
    return [ink.grid(columns, rows), ink.text(wording.summary(model)), *missing]


def _gaps(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    records = training_gaps.gaps(model)
    if not records:
        return []
    names = [*training_gaps.HEAD, ""]
    columns = [Column(header=name, justify="right" if place else "left") for place, name in enumerate(names)]
    rows: list[list[str | Text]] = [[*training_gaps.row(one), ink.mark(one.soundness)] for one in records]
    notes = training_gaps.attacks(records)
    if isinstance(model.jacobian, JacobianRecord) and model.jacobian.gaps:
        notes.append("gaps in surrogates and Jacobian norms stand with the Jacobian")
    return [ink.grid(columns, rows), *(ink.text(line, "dim") for line in notes)]


def _margins(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    shown: list[tuple[str, str, Distribution, str]] = [
        (one.normalisation, one.split, one.distribution, one.soundness) for one in model.normalised_margins
    ]
    deep = model.all_layer_margin
    if isinstance(deep, AllLayerMarginRecord):
        shown.append(("all-layer, at most", deep.split, deep.upper, deep.soundness))
    names = ("margin over size", "samples", "q05", "median", "q95", "spread", "")
    columns = [Column(header=name, justify="right" if 1 < place < 5 else "left") for place, name in enumerate(names)]
    rows: list[list[str | Text]] = [
        [name, split, *_spread(values), ink.mark(soundness)] for name, split, values, soundness in shown
    ]
    notes = [f"all-layer margin: {deep.reason}"] if isinstance(deep, Skipped) else []
    table: list[RenderableType] = [ink.grid(columns, rows)] if rows else []
    return [*table, *(ink.text(line, "dim") for line in notes)]


def _spread(values: Distribution) -> list[str]:
    return [*(nearest(at) for at in (values.q05, values.median, values.q95)), sparkline(values.counts)]


def _inside(model: ModelRecord, ink: Ink) -> list[RenderableType]:
    """Sentences on noise, and every table behind them where the style is verbose."""
    places = training_gaps.resilience(model)
    lines = [*wording.flatness(model), *([training_gaps.sensitive(places)] if places else [])]
    if isinstance(model.noise_resilience, Skipped):
        lines.append(f"noise inside the network: {model.noise_resilience.reason}")
    parts: list[RenderableType] = [ink.text(line, "dim") for line in lines]
    if ink.style.verbose and places:
        parts.append(Text(""))
        names = ("noise at", "length there", "|d logits|", "sensitivity", "")
        columns = [Column(header=name, justify="right" if place else "left") for place, name in enumerate(names)]
        rows: list[list[str | Text]] = [
            [one.place, *(nearest(at.median) for at in (one.activation, one.jacobian, one.sensitivity))]
            for one in places
        ]
        parts.append(ink.grid(columns, [[*row, ink.mark("estimate")] for row in rows]))
    if ink.style.verbose and model.measures:
        parts.append(Text(""))
        columns = [Column(header="measure (correlational)", justify="left"), Column(header=""), Column(header="")]
        parts.append(
            ink.grid(columns, [[one.measure, short(one.value, 4), ink.mark(one.soundness)] for one in model.measures])
        )
    return parts
