"""Looking a metric up in the record of a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lipcert.records.enclosure import Soundness
from lipcert.records.metrics.aliases import analyses_of
from lipcert.records.metrics.derived import derive
from lipcert.records.metrics.ends import with_ends
from lipcert.records.metrics.identity import MetricId
from lipcert.records.metrics.known import ENDS
from lipcert.records.metrics.reading import Lookup, Reading
from lipcert.records.metrics.walk import walk
from lipcert.records.report import ModelRecord
from lipcert.records.skipped import Skipped

NOT_ASKED = "absent (not asked for)"


def readings(model: ModelRecord) -> tuple[Reading, ...]:
    """Every metric of a model, each id once, in the order of the record."""
    found: dict[MetricId, list[Reading]] = {}
    for reading in (*walk(model), *derive(model)):
        found.setdefault(reading.id, []).append(with_ends(reading, model))
    return tuple(reading for group in found.values() for reading in _one(group))


def _one(group: list[Reading]) -> Iterable[Reading]:
    """Enclosures of one quantity by several methods are met; other repetitions are told apart by a number."""
    known = [reading for reading in group if reading.skipped is None]
    if len(group) == 1 or not known:
        return group[:1]
    if group[0].id.path == "lipschitz.value":
        # Constants over balls around other samples are other quantities.
        known = [_met([r for r in known if r.samples == count]) for count in dict.fromkeys(r.samples for r in known)]
        group = known
    return [
        replace(reading, id=reading.id.with_selectors({"n": str(number)})) if number > 1 else reading
        for number, reading in enumerate(group, 1)
    ]


def _met(group: list[Reading]) -> Reading:
    """The intersection: every one of them holds."""
    lowers = [reading.lower for reading in group if reading.lower is not None]
    bounded = [reading for reading in group if reading.upper is not None]
    # An end that may be wrong must not displace one that is proved.
    sure = [reading for reading in bounded if reading.soundness in {Soundness.PROVED, Soundness.EXACT}]
    best = min(sure or bounded, key=lambda reading: reading.upper or 0.0, default=group[0])
    return replace(best, lower=max(lowers, default=None))


def look_up(model: ModelRecord, metric: MetricId, everything: tuple[Reading, ...] | None = None) -> Lookup:
    """What a model's record says about a metric, named by its full id (see `resolve`).

    everything  `readings(model)`, where several metrics are looked up in one model
    """
    everything = readings(model) if everything is None else everything
    found = tuple(reading for reading in everything if reading.id.path == metric.path and metric.selects(reading.id))
    stem, _, end = metric.path.rpartition(".")
    if not found and end in ENDS:
        whole = look_up(model, MetricId(stem, metric.selectors), everything)
        return replace(whole, readings=tuple(_end(reading, end) for reading in whole.readings))
    if found and any(reading.skipped is None for reading in found):
        return Lookup(state="present", readings=found)
    if found:
        return Lookup(state="skipped", readings=found, reason=_reason(found[0].skipped))
    return _missing(model, metric, everything)


def _end(reading: Reading, end: str) -> Reading:
    """One end of an enclosure as a number of its own."""
    value: float | None = getattr(reading, end)
    named = MetricId(f"{reading.id.path}.{end}", reading.id.selectors)
    if reading.skipped is not None:
        return replace(reading, id=named)
    if value is None:
        return replace(reading, id=named, skipped=Skipped(reason=f"there is no {end} end"), lower=None, upper=None)
    return replace(reading, id=named, lower=value, upper=value, reported=value, soundness=_soundness_of(reading, end))


def _soundness_of(reading: Reading, end: str) -> Soundness:
    """How sure one end is.

    A lower end of an enclosure has a witness, whatever its upper end rests on. Of accuracies it is the other way round:
    the upper end is what attacks left.
    """
    if reading.lower == reading.upper or reading.soundness is Soundness.PROBABILISTIC:
        return reading.soundness
    witnessed = "lower" if reading.reported is None else "upper"
    return Soundness.EXACT if end == witnessed else reading.soundness


def _missing(model: ModelRecord, metric: MetricId, everything: tuple[Reading, ...]) -> Lookup:
    """Why there is nothing at an id."""
    for name in analyses_of(metric.path) or (metric.path.partition(".")[0],):
        value: Any = getattr(model, name, None)
        if isinstance(value, Skipped):
            return Lookup(state="skipped", reason=_reason(value))
    outer = metric.path
    while "." in outer:
        outer = outer.rpartition(".")[0]
        gone = next((r.skipped for r in everything if r.id.path == outer and r.skipped is not None), None)
        if gone is not None:
            return Lookup(state="skipped", reason=_reason(gone))
    others = [str(reading.id) for reading in everything if reading.id.path == metric.path]
    if others:
        shown = ", ".join(others[:4])
        return Lookup(state="absent", reason=f"nothing there is {metric}; there is {shown}")
    return Lookup(state="absent", reason=NOT_ASKED)


def _reason(skipped: Skipped | None) -> str:
    if skipped is None:
        return ""
    return f"{skipped.reason}: {', '.join(skipped.operators)}" if skipped.operators else skipped.reason
