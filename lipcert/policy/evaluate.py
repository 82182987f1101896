"""From a model's record and a configuration to its checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from lipcert.policy.config import CheckSpec, Config, IgnoreSpec
from lipcert.policy.regression import Baseline, judge_regression
from lipcert.policy.selection import checks_for, matches
from lipcert.policy.threshold import Judgement, judge_thresholds, worst
from lipcert.records import CheckRecord, ModelRecord
from lipcert.records.metrics import Lookup, Reading, look_up, readings


def evaluate(
    model: ModelRecord,
    config: Config,
    baseline: Baseline | None = None,
    *,
    only: Sequence[str] = (),
    today: date | None = None,
    alone: bool = True,
) -> tuple[CheckRecord, ...]:
    """Every check of the configuration on one model, in its order.

    only   ids of the checks to look at; all of them where none is named
    today  the day ignores are judged by
    alone  whether this is the only model of the run, so that a baseline of one model is about it whatever its name
    """
    everything = readings(model)
    day = today or datetime.now(UTC).date()
    found = []
    for spec in checks_for(config, model.path, only):
        judgement = _judge(spec, model, everything, baseline, alone=alone)
        ignore = _ignore(config, spec, model.path, day)
        found.append(_record(spec, judgement, ignore, day))
    return tuple(found)


def _judge(
    spec: CheckSpec, model: ModelRecord, everything: tuple[Reading, ...], baseline: Baseline | None, *, alone: bool
) -> Judgement:
    if model.status != "analyzed":
        return Judgement(state="error", message="the model could not be concluded on")
    found = look_up(model, spec.metric, everything)
    if found.state != "present":
        return Judgement(state="skipped", message=found.reason, hint=_absence(found))
    judgements = [
        judgement for reading in found.readings for judgement in _one(reading, spec, model, baseline, alone=alone)
    ]
    gravest = worst(judgements)
    if gravest.state != "pass" or len(found.readings) == 1:
        return _with_baseline(gravest, judgements)
    return _tightest(judgements, len(found.readings), spec)


def _one(
    reading: Reading, spec: CheckSpec, model: ModelRecord, baseline: Baseline | None, *, alone: bool
) -> list[Judgement]:
    if reading.skipped is not None:
        return [Judgement(state="skipped", message=reading.skipped.reason, reading=reading)]
    found = judge_thresholds(reading, spec)
    if spec.regression is not None:
        found.append(judge_regression(reading, spec, model, baseline, alone=alone))
    return found


def _with_baseline(judgement: Judgement, others: list[Judgement]) -> Judgement:
    """The baseline is shown whichever part of the check decided."""
    known = next((other.baseline for other in others if other.baseline is not None), None)
    if judgement.baseline is not None or known is None:
        return judgement
    return Judgement(
        state=judgement.state,
        message=judgement.message,
        hint=judgement.hint,
        reading=judgement.reading,
        baseline=known,
    )


def _tightest(judgements: list[Judgement], count: int, spec: CheckSpec) -> Judgement:
    """Of several numbers that all pass, the one nearest to failing stands for them."""
    if spec.better == "higher":
        chosen = min(judgements, key=lambda j: _end(j, "lower"))
    else:
        chosen = max(judgements, key=lambda j: _end(j, "upper"))
    return Judgement(
        state="pass",
        message=f"{chosen.message}; this is the nearest to failing of {count}",
        reading=chosen.reading,
        baseline=chosen.baseline,
    )


def _end(judgement: Judgement, end: str) -> float:
    value = None if judgement.reading is None else getattr(judgement.reading, end)
    return 0.0 if value is None else float(value)


def _absence(found: Lookup) -> str:
    return "" if found.state == "skipped" else "lipcert check runs what a check needs; a stored report may hold less"


def _ignore(config: Config, spec: CheckSpec, model: str, day: date) -> tuple[IgnoreSpec, bool] | None:
    """The ignore that is about a check, and whether it is still in force; one in force comes first."""
    meant = [ignore for ignore in config.ignores if ignore.check == spec.id and matches(ignore.model, model)]
    found = [(ignore, ignore.expires is None or day <= ignore.expires) for ignore in meant]
    return max(found, key=lambda pair: pair[1], default=None)


def _record(spec: CheckSpec, judgement: Judgement, ignore: tuple[IgnoreSpec, bool] | None, day: date) -> CheckRecord:
    reading = judgement.reading
    message, reason, expires = judgement.message, None, None
    if ignore is not None:
        rule, in_force = ignore
        expires = None if rule.expires is None else rule.expires.isoformat()
        reason = rule.reason if in_force else None
        if not in_force:
            message += f"; its ignore ended on {expires}, before {day.isoformat()}: {rule.reason}"
    return CheckRecord(
        id=spec.id,
        metric=str(spec.metric if reading is None else reading.id),
        level=spec.level,
        state=judgement.state,
        lower=None if reading is None else reading.lower,
        upper=None if reading is None else reading.upper,
        soundness=None if reading is None or reading.skipped is not None else reading.soundness,
        minimum=spec.minimum,
        maximum=spec.maximum,
        regression=None if spec.regression is None else spec.regression.text,
        baseline=judgement.baseline,
        message=message,
        hint=judgement.hint,
        ignored=reason,
        expires=expires,
        source=spec.source,
        line=spec.line,
    )
