"""Metrics that stand in no field: counts of findings, and one number out of many."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from lipcert.records.enclosure import Enclosure, Soundness
from lipcert.records.evaluation import EvaluationRecord
from lipcert.records.metrics.identity import MetricId
from lipcert.records.metrics.reading import Reading
from lipcert.records.report import ModelRecord
from lipcert.records.skipped import Skipped

DERIVED = {
    "diagnostics.errors": "diagnostics of level error",
    "diagnostics.warnings": "diagnostics of level warning",
    "evaluation.failed": "checks of the attacks that fail: what they report says nothing",
    "evaluation.warned": "checks of the attacks that warn: what they report is likely loose",
    "layers.spectral_outlier": "largest spectral norm of a layer over the median one",
    "unsupported_ops": "operators without a rule",
}
"""Path -> what is counted."""


def derive(model: ModelRecord) -> Iterator[Reading]:
    """Readings of `DERIVED`; those of an analysis that was not done are left out."""
    yield _count("diagnostics.errors", sum(found.level == "error" for found in model.diagnostics))
    yield _count("diagnostics.warnings", sum(found.level == "warning" for found in model.diagnostics))
    yield _count("unsupported_ops", len(model.unsupported_ops))
    if isinstance(model.evaluation, Skipped):
        yield from (
            Reading(id=MetricId(path), skipped=model.evaluation) for path in ("evaluation.failed", "evaluation.warned")
        )
    if isinstance(model.evaluation, EvaluationRecord):
        states = [check.status for check in model.evaluation.checks]
        yield _count("evaluation.failed", states.count("fail"))
        yield _count("evaluation.warned", states.count("warn"))
    yield from _outlier(model)


def _count(path: str, number: int) -> Reading:
    return Reading(id=MetricId(path), lower=number, upper=number, reported=number)


def _outlier(model: ModelRecord) -> Iterator[Reading]:
    """The ratio is enclosed because maximum and median never fall when a norm grows."""
    if isinstance(model.layers, Skipped) or not model.layers:
        return
    norms = [layer.spectral_norm for layer in model.layers]
    known = [norm for norm in norms if isinstance(norm, Enclosure)]
    name = MetricId("layers.spectral_outlier")
    if len(known) < len(norms):
        yield Reading(id=name, skipped=Skipped(reason="the norm of a layer is not known"))
        return
    uppers = [norm.upper for norm in known if norm.upper is not None]
    low, middle = statistics.median(norm.lower for norm in known), max(norm.lower for norm in known)
    if len(uppers) < len(known) or low <= 0:
        yield Reading(id=name, skipped=Skipped(reason="a layer's norm has no upper end, or the median is zero"))
        return
    yield Reading(
        id=name,
        lower=middle / statistics.median(uppers),
        upper=max(uppers) / low,
        soundness=max((norm.soundness for norm in known), key=list(Soundness).index),
    )
