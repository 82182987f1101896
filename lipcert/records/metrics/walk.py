"""Every number of a model's record, with its id."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, final

from lipcert.records.certificate import PopulationRisk
from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Enclosure, Soundness
from lipcert.records.generalization import ResilienceRecord, TrainingGapRecord
from lipcert.records.linearity import AlignmentRecord, GapRecord, LinearityRecord
from lipcert.records.metrics.identity import MetricId, selector_text
from lipcert.records.metrics.reading import Reading
from lipcert.records.skipped import Skipped

KEYS = tuple("name norm scope eps p q attack bound normalisation measure label first second split id ball seed".split())
"""Fields that tell records of one kind apart; they are selectors, not metrics."""

_MORE: Mapping[type, tuple[str, ...]] = {
    AlignmentRecord: ("direction", "radius"),
    GapRecord: ("quantity",),
    LinearityRecord: ("direction", "radius"),
    ResilienceRecord: ("place",),
    TrainingGapRecord: ("quantity",),
}
"""Further ones of some kinds of records."""

OMITTED = frozenset(
    "checks diagnostics settings timing counts ci95 quantile_ci95 decided_by input_shape output_shape preprocess notes "
    "verdict".split()
)
"""Fields that hold no measurement, or that another reading carries."""

QUANTILES = ("mean", "std", "min", "q05", "median", "q95", "max")
_SEGMENT = re.compile(r"[A-Za-z_][\w-]*")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in the record a value stands, and what holds for everything below it."""

    path: str = ""
    selectors: tuple[tuple[str, str], ...] = ()
    soundness: Soundness = Soundness.EXACT
    samples: int | None = None
    method: str = ""
    missing: str = ""

    @property
    def id(self) -> MetricId:
        return MetricId(self.path, self.selectors)

    def below(self, name: str) -> _Place:
        """The place of a field."""
        return replace(self, path=f"{self.path}.{name}" if self.path else name)

    def chosen(self, *pairs: tuple[str, str]) -> _Place:
        """The place of one record among several."""
        return replace(self, selectors=(*self.selectors, *pairs))


def walk(record: Any) -> Iterator[Reading]:
    """Readings of all numbers in a record, depth first; ids may repeat where records differ in nothing but method."""
    yield from _walk(record, _Place())


def _walk(value: Any, place: _Place) -> Iterator[Reading]:
    if value is None:
        if place.missing:
            yield Reading(id=place.id, skipped=Skipped(reason=place.missing))
    elif isinstance(value, Distribution):
        yield from _distribution(value, place)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if _SEGMENT.fullmatch(str(key)):
                yield from _walk(item, place.below(str(key)))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, place.chosen(*_selectors(item, index)))
    else:
        yield from _leaf(value, place)


def _leaf(value: Any, place: _Place) -> Iterator[Reading]:
    if isinstance(value, Skipped):
        yield Reading(id=place.id, skipped=value)
    elif isinstance(value, int | float):
        yield _number(float(value), place)
    elif isinstance(value, Enclosure):
        yield _enclosure(value, place)
    elif isinstance(value, PopulationRisk):
        yield _risk(value, place)
    elif is_dataclass(value):
        yield from _record(value, place)


def _record(value: Any, place: _Place) -> Iterator[Reading]:
    inner = replace(
        place,
        soundness=_soundness(value, place.soundness),
        samples=getattr(value, "samples", place.samples),
        method=str(getattr(value, "method", place.method)),
        missing=str(getattr(value, "missing", "")),
    )
    for field in fields(value):
        if field.name not in OMITTED and field.name not in KEYS:
            yield from _walk(getattr(value, field.name), inner.below(field.name))


def _soundness(value: Any, default: Soundness) -> Soundness:
    if not getattr(value, "guarantee", True):
        return Soundness.HEURISTIC
    found = getattr(value, "soundness", default)
    return found if isinstance(found, Soundness) else default


def _selectors(item: Any, index: int) -> tuple[tuple[str, str], ...]:
    if not is_dataclass(item):
        return (("index", str(index)),)
    return tuple((key, selector_text(value)) for key, value in selectors_of(item))


def selectors_of(record: Any) -> tuple[tuple[str, str | int | float], ...]:
    """What tells a record from others of its kind."""
    names = (*KEYS, *_MORE.get(type(record), ()))
    pairs = ((key, getattr(record, key, None)) for key in names)
    return tuple((key, value) for key, value in pairs if isinstance(value, str | int | float))


def _number(value: float, place: _Place) -> Reading:
    return Reading(
        id=place.id,
        lower=value,
        upper=value,
        reported=value,
        soundness=place.soundness,
        samples=place.samples,
        method=place.method,
    )


def _enclosure(value: Enclosure, place: _Place) -> Reading:
    return Reading(
        id=place.id,
        lower=value.lower,
        upper=value.upper,
        soundness=value.soundness,
        failure_probability=value.failure_probability,
        samples=place.samples or None,
        method=value.method,
    )


def _risk(value: PopulationRisk, place: _Place) -> Reading:
    return Reading(
        id=place.id,
        lower=value.lower,
        upper=value.upper,
        soundness=Soundness.PROBABILISTIC,
        failure_probability=1 - value.confidence,
        samples=place.samples,
        method=value.method,
    )


def _distribution(value: Distribution, place: _Place) -> Iterator[Reading]:
    for name in QUANTILES:
        interval = value.ci95 if name == "mean" else value.quantile_ci95.get(name)
        found = _number(getattr(value, name), place.below(name))
        yield replace(found, samples=value.samples, interval=interval)
