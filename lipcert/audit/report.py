"""From the zoo and its results to one document."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lipcert.audit.plan import Member, Plan
from lipcert.audit.summary import Row
from lipcert.records import CheckRecord, DiagnosticRecord, ErrorRecord, codec
from lipcert.records.audit import AuditBall, AuditLipschitz, AuditModel, AuditReport, AuditSummary
from lipcert.records.tool import tool_record

Ball = tuple[Any, float]
_WARNINGS = codec.adapter(DiagnosticRecord)
_STATES = ("analyzed", "inconclusive", "pending")
_USAGE = ("usage", "configuration", "data")


def audit_report(
    plan: Plan, rows: Mapping[str, Row], checks: Mapping[str, tuple[CheckRecord, ...]] | None = None
) -> AuditReport:
    """The document on a zoo, without a verdict of a gate.

    rows    key -> row, as an index gives them
    checks  key -> checks, where there is a configuration
    """
    found = [_model(member, rows.get(member.key), (checks or {}).get(member.key, ())) for member in plan.members]
    ball = _ranking_ball(found)
    ranked = found if ball is None else _ranked(found, ball)
    ranked.sort(key=lambda model: _order(model, ball))
    return AuditReport(tool=tool_record(), models=tuple(ranked), ranked_by=ball, summary=_summary(ranked))


def _model(member: Member, row: Row | None, checks: tuple[CheckRecord, ...]) -> AuditModel:
    known: dict[str, Any] = {"status": "pending"}
    if row is not None:
        names = ("status", "format", "parameters", "classes", "data", "samples")
        known = {name: row.get(name) for name in names}
        known["clean_accuracy"] = row.get("clean")
        known["balls"] = tuple(_ball(values) for values in row.get("points", ()))
        known["histogram"] = tuple(row.get("spark", ()))
        known["warnings"] = tuple(map(_WARNINGS.validate_python, row.get("warnings", ())))
        if "lipschitz" in row:
            norm, lower, upper = row["lipschitz"]
            known["lipschitz"] = AuditLipschitz(norm=norm, lower=lower, upper=upper)
        if "error" in row:
            known["error"] = _error(row["error"], member.name)
    return AuditModel(
        name=member.name,
        path=member.path,
        family=member.family,
        key=member.key,
        sha256=member.sha256,
        checks=checks,
        **known,
    )


def _ball(values: Sequence[Any]) -> AuditBall:
    norm, eps, certified, attacked, low, high, confidence = values
    return AuditBall(
        norm=norm,
        eps=eps,
        certified_accuracy=certified,
        robust_accuracy=attacked,
        true_accuracy=None if low is None else (low, high),
        confidence=confidence,
    )


def _error(found: Mapping[str, Any], name: str) -> ErrorRecord:
    texts = {key: str(found.get(key, "")) for key in ("code", "phase", "message", "hint")}
    return ErrorRecord(model=name, operators=tuple(found.get("operators", ())), **texts)


def _ranking_ball(models: Iterable[AuditModel]) -> Ball | None:
    """The ball most models have an interval in, else any number; of several the smallest in linf, then in l2."""
    known: Counter[Ball] = Counter()
    found: Counter[Ball] = Counter()
    for ball in (ball for model in models for ball in model.balls):
        known[ball.norm, ball.eps] += 1
        found[ball.norm, ball.eps] += ball.true_accuracy is not None
    order = {"linf": 0, "l2": 1, "l1": 2}
    return min(known, key=lambda ball: (-found[ball], -known[ball], order[ball[0]], ball[1]), default=None)


def _in(model: AuditModel, ball: Ball) -> AuditBall | None:
    return next((each for each in model.balls if (each.norm, each.eps) == ball), None)


def _ranked(models: Sequence[AuditModel], ball: Ball) -> list[AuditModel]:
    """The models with their places among those on the same data."""
    ends: dict[str | None, tuple[list[float], list[float]]] = {}
    for model in models:
        each = _in(model, ball)
        if each is not None and each.true_accuracy is not None:
            lows, highs = ends.setdefault(model.data, ([], []))
            lows.append(each.true_accuracy[0])
            highs.append(each.true_accuracy[1])
    for lows, highs in ends.values():
        lows.sort()
        highs.sort()
    return [_with_place(model, ball, *ends.get(model.data, ([], []))) for model in models]


def _with_place(model: AuditModel, ball: Ball, lows: list[float], highs: list[float]) -> AuditModel:
    each = _in(model, ball)
    if each is None or each.true_accuracy is None:
        return model
    low, high = each.true_accuracy
    better, worse = len(lows) - bisect_right(lows, high), bisect_left(highs, low)
    placed = replace(each, rank=(1 + better, len(lows) - worse))
    return replace(model, balls=tuple(placed if other is each else other for other in model.balls))


def _order(model: AuditModel, ball: Ball | None) -> tuple[Any, ...]:
    return model.family, _STATES.index(model.status), model.data or "", *_place(model, ball), model.name


def _place(model: AuditModel, ball: Ball | None) -> tuple[float, ...]:
    """What to sort by: certified, then attacked, then clean accuracy, best first; what has none comes last."""
    each = None if ball is None else _in(model, ball)
    values = (None, None) if each is None else (each.certified_accuracy, each.robust_accuracy)
    return tuple(1.0 if value is None else -value for value in (*values, model.clean_accuracy))


def _summary(models: Sequence[AuditModel]) -> AuditSummary:
    states = Counter(model.status for model in models)
    failed = [model.error for model in models if model.status == "inconclusive" and model.error is not None]
    usage = any(error.code in _USAGE for error in failed)
    unsure = states["inconclusive"] + states["pending"]
    return AuditSummary(
        models=len(models),
        results=len({model.key for model in models if model.status != "pending"}),
        analyzed=states["analyzed"],
        inconclusive=states["inconclusive"],
        pending=states["pending"],
        gate="none",
        exit_code=2 if usage else 3 if unsure else 0,
    )
