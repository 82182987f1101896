"""Whether a number is worse than in an earlier report, by more than a tolerance."""

from __future__ import annotations

from typing import final

from lipcert.policy.config import CheckSpec
from lipcert.policy.threshold import Judgement, is_weak
from lipcert.policy.wording import number
from lipcert.records import ModelRecord, Report
from lipcert.records.metrics import MetricId, Reading, look_up, readings

_FLOAT_ERROR = 1e-9
"""Differences of decimals like 0.90 - 0.89 are not exact; a tolerance is not missed by their rounding."""

_WITHOUT_DATA = ("layers", "lipschitz", "unsupported_ops", "signature")


@final
class Baseline:
    """An earlier report, to look numbers up in."""

    def __init__(self, report: Report, path: str) -> None:
        self.report, self.path = report, path
        self._readings: dict[int, tuple[Reading, ...]] = {}

    def end(self, model: ModelRecord, metric: MetricId, end: str) -> float | None:
        """One end of a number of one of the report's models."""
        if id(model) not in self._readings:
            self._readings[id(model)] = readings(model)
        found = look_up(model, metric, self._readings[id(model)])
        return _end(found.readings[0], end) if found.state == "present" else None

    def model(self, model: ModelRecord, *, alone: bool) -> ModelRecord | None:
        """The same model then: by its path, else by its name, else the only one where there is one now as well."""
        earlier = self.report.models
        by_path = [found for found in earlier if found.path == model.path]
        by_name = [found for found in earlier if found.id == model.id]
        for found in (by_path, by_name):
            if len(found) == 1:
                return found[0]
        return earlier[0] if alone and len(earlier) == 1 and not by_name else None


def judge_regression(
    reading: Reading, spec: CheckSpec, model: ModelRecord, baseline: Baseline | None, *, alone: bool
) -> Judgement:
    """Compare the end that is guaranteed: the lower one where higher is better, else the upper one."""
    if baseline is None:
        return Judgement(
            state="skipped",
            message="there is no baseline to compare with",
            hint="--baseline REPORT.json, an earlier result of lipcert check --report json=REPORT.json",
            reading=reading,
        )
    earlier = baseline.model(model, alone=alone)
    if earlier is None:
        return _undecided(reading, f"{baseline.path} holds no model {model.id}")
    difference = _difference(reading, model, earlier)
    if difference:
        return _undecided(reading, f"{baseline.path} was measured on {difference}")
    end = "lower" if spec.better == "higher" else "upper"
    if is_weak(reading, end, spec):
        word = reading.soundness.value
        return _undecided(reading, f"it is known by {word} alone", f'accept = "{word}" compares it all the same')
    old, new = baseline.end(earlier, reading.id, end), _end(reading, end)
    if old is None or new is None:
        return _undecided(reading, f"there is no {end} end of it {'now' if new is None else 'in ' + baseline.path}")
    return _compare(reading, spec, old, new)


def _end(reading: Reading, end: str) -> float | None:
    return reading.lower if end == "lower" else reading.upper


def _compare(reading: Reading, spec: CheckSpec, old: float, new: float) -> Judgement:
    tolerance = spec.regression
    assert tolerance is not None
    allowed = tolerance.amount * abs(old) if tolerance.relative else tolerance.amount
    loss = old - new if spec.better == "higher" else new - old
    held = loss <= allowed + _FLOAT_ERROR * max(1.0, abs(old))
    way = "unchanged at" if loss == 0 else f"{'worse' if loss > 0 else 'better'}, {number(old)} before, now"
    end = "" if reading.lower == reading.upper else f" in its {'lower' if spec.better == 'higher' else 'upper'} end"
    text = f"{way} {number(new)}{end}; at most {tolerance.text} worse was asked"
    return Judgement(
        state="pass" if held else "fail",
        message=text,
        hint="" if held else "lipcert compare BASELINE REPORT shows all that changed",
        reading=reading,
        baseline=old,
    )


def _undecided(reading: Reading, why: str, hint: str = "write the baseline anew with the settings of now") -> Judgement:
    return Judgement(state="inconclusive", message=f"no comparison: {why}", hint=hint, reading=reading)


def _difference(reading: Reading, model: ModelRecord, earlier: ModelRecord) -> str:
    """What makes the two incomparable, in words; empty where nothing does."""
    if model.preprocess != earlier.preprocess and _how(model) != _how(earlier):
        return "other preprocessing"
    if reading.id.path.startswith(_WITHOUT_DATA) or model.data is None or earlier.data is None:
        return ""
    if model.data.sha256 != earlier.data.sha256:
        return "other data"
    return "other samples" if model.data.samples != earlier.data.samples else ""


def _how(model: ModelRecord) -> tuple[object, ...]:
    found = model.preprocess
    return found.scale, found.mean, found.std, found.layout, found.input_range
