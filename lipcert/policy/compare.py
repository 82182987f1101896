"""Two reports, number by number."""

from __future__ import annotations

from collections.abc import Sequence

from lipcert.policy.change import HEADLINES, change
from lipcert.policy.config import FailOn
from lipcert.policy.gate import Gate
from lipcert.policy.paired import Row, compare_rows
from lipcert.records import ModelRecord, Report, Skipped
from lipcert.records.compare import (
    VERDICTS,
    ChangeRecord,
    CompareReport,
    ModelComparison,
    PairedChangeRecord,
    SideRecord,
)
from lipcert.records.metrics import Reading, number_text, readings
from lipcert.records.tool import tool_record

_OMITTED = ("timing", "signature", "data")
_METHODS = ("effort", "deploy_dtype", "dtype", "seeds", "confidence", "samples", "time_budget")
_FAILING: dict[FailOn, tuple[str, ...]] = {"error": ("worse",), "warning": ("worse", "maybe_worse"), "never": ()}


def pair_models(before: Report, after: Report) -> tuple[list[tuple[ModelRecord, ModelRecord]], tuple[str, ...]]:
    """Models of the same path, else of the same name, else the only ones; and the paths that found no partner."""
    if len(before.models) == 1 and len(after.models) == 1:
        return [(before.models[0], after.models[0])], ()
    pairs: list[tuple[ModelRecord, ModelRecord]] = []
    taken: set[int] = set()
    places = [_places(after, "path"), _places(after, "id")]
    for model in before.models:
        found = places[0].get(model.path, []) or places[1].get(model.id, [])
        free = [number for number in found if number not in taken]
        if len(free) == 1:
            taken.add(free[0])
            pairs.append((model, after.models[free[0]]))
    matched = {id(first) for first, _ in pairs}
    alone = [model.path for model in before.models if id(model) not in matched]
    alone += [model.path for number, model in enumerate(after.models) if number not in taken]
    return pairs, tuple(alone)


def _places(report: Report, name: str) -> dict[str, list[int]]:
    """Where models of each path or name stand."""
    found: dict[str, list[int]] = {}
    for number, model in enumerate(report.models):
        found.setdefault(getattr(model, name), []).append(number)
    return found


def differences(before: Report, after: Report) -> tuple[str, ...]:
    """What makes two reports incomparable, in words: data, preprocessing, radii or methods that differ."""
    found: dict[str, None] = {}
    for name in _METHODS:
        old, new = getattr(before.settings, name), getattr(after.settings, name)
        if old != new:
            found[f"{name.replace('_', ' ')}: {_word(old)} before, {_word(new)} after"] = None
    for first, second in pair_models(before, after)[0]:
        found |= dict.fromkeys(_model_differences(first, second))
    return tuple(found)


def _word(value: object) -> str:
    return "none" if value is None else str(value)


def _model_differences(before: ModelRecord, after: ModelRecord) -> list[str]:
    found = []
    old, new = before.data, after.data
    if (old is None) != (new is None):
        found.append("data: one report has none")
    elif old is not None and new is not None and old.sha256 != new.sha256:
        found.append(f"data: sha256 {old.sha256[:12]} before, {new.sha256[:12]} after")
    elif old is not None and new is not None and old.samples != new.samples:
        found.append(f"samples: {old.samples} before, {new.samples} after")
    found += [
        f"preprocessing: {name.replace('_', ' ')} differs"
        for name in ("scale", "mean", "std", "layout", "input_range")
        if getattr(before.preprocess, name) != getattr(after.preprocess, name)
    ]
    if _balls(before) and _balls(after) and _balls(before) != _balls(after):
        shown = [", ".join(sorted(found)) for found in (_balls(before), _balls(after))]
        found.append(f"eps: {shown[0]} before, {shown[1]} after")
    return found


def _balls(model: ModelRecord) -> set[str]:
    """Radii that were attacked or certified."""
    attacked = () if isinstance(model.robustness, Skipped) else model.robustness
    certified = () if isinstance(model.certificates, Skipped) else model.certificates
    balls = {(record.norm, record.eps) for record in attacked} | {(record.norm, record.eps) for record in certified}
    return {f"{norm} {number_text(eps)}" for norm, eps in balls}


def compare_reports(
    before: Report,
    after: Report,
    *,
    sides: tuple[SideRecord, SideRecord],
    rows: tuple[Sequence[Row], Sequence[Row]] | None = None,
    fail_on: FailOn = "never",
    forced: bool = False,
) -> CompareReport:
    """What changed from one report to the other. Whether they may be compared is the caller's to ask."""
    pairs, unmatched = pair_models(before, after)
    paired = () if rows is None else compare_rows(*rows)
    models = tuple(_compare(first, second, paired) for first, second in pairs)
    gate, code = _gate(models, unmatched, fail_on)
    versions = before.tool.version, after.tool.version
    return CompareReport(
        tool=tool_record(),
        before=sides[0],
        after=sides[1],
        models=models,
        differences=differences(before, after),
        forced=forced,
        notes=() if versions[0] == versions[1] else (f"lipcert {versions[0]} before, {versions[1]} after",),
        unmatched=unmatched,
        gate=gate,
        exit_code=code,
    )


def _gate(models: tuple[ModelComparison, ...], unmatched: tuple[str, ...], fail_on: FailOn) -> tuple[Gate, int]:
    """A headline number or a model that is gone is no pass: it could not be compared."""
    if fail_on == "never":
        return "none", 0
    failing = _FAILING[fail_on]
    if any(found.headline and found.verdict in failing for model in models for found in model.changes):
        return "fail", 1
    if unmatched or not models or any(model.gone for model in models):
        return "inconclusive", 3
    return "pass", 0


def _compare(before: ModelRecord, after: ModelRecord, paired: tuple[PairedChangeRecord, ...]) -> ModelComparison:
    old = {str(reading.id): reading for reading in readings(before) if _is_compared(reading)}
    new = {str(reading.id): reading for reading in readings(after) if _is_compared(reading)}
    counts = {record.metric: record.counts for record in paired}
    shared = [name for name in old if name in new]
    looked_at = [name for name in shared if _is_headline(old[name]) or _ends(old[name]) != _ends(new[name])]
    changes = [change(old[name], new[name], counts) for name in looked_at]
    shown = [found for found in changes if found.headline or found.verdict != "same"]
    return ModelComparison(
        before=before.path,
        after=after.path,
        before_sha256=before.sha256,
        after_sha256=after.sha256,
        compared=len(shared),
        changes=tuple(sorted(shown, key=_gravity)),
        paired=paired,
        gone=tuple(name for name in old if name not in new and _is_headline(old[name])),
        new=tuple(name for name in new if name not in old and _is_headline(new[name])),
    )


def _is_compared(reading: Reading) -> bool:
    there = reading.skipped is None and (reading.lower is not None or reading.upper is not None)
    return there and not reading.id.path.startswith(_OMITTED)


def _ends(reading: Reading) -> tuple[float | None, float | None]:
    return reading.lower, reading.upper


def _is_headline(reading: Reading) -> bool:
    return reading.id.path in HEADLINES


def _gravity(found: ChangeRecord) -> tuple[bool, int]:
    return not found.headline, VERDICTS.index(found.verdict)
