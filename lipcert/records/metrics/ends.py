"""Numbers that are one end of something known from both sides get their other end from the record beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lipcert.records.certificate import CertificateRecord
from lipcert.records.enclosure import Soundness
from lipcert.records.metrics.identity import as_number, same_value
from lipcert.records.metrics.reading import Reading
from lipcert.records.report import ModelRecord
from lipcert.records.skipped import Skipped


def with_ends(reading: Reading, model: ModelRecord) -> Reading:
    """The reading with the end its number is, and the other one where the model's record has it."""
    path = reading.id.path
    if reading.skipped is None and path in _ENDS:
        return _ENDS[path](reading, model)
    if reading.skipped is None and path.startswith(_FROM_BELOW):
        return replace(reading, upper=None)
    if reading.skipped is None and path.startswith(_FROM_ABOVE):
        return replace(reading, lower=0.0)
    return reading


def certified_share(model: ModelRecord, norm: str, eps: str) -> tuple[float, Soundness] | None:
    """Share of samples proved right in a ball, with how sure that is; None where there is no certificate."""
    found = [record for record in _certificates(model) if _is(record.norm, record.eps, norm, eps)]
    best = max(found, key=lambda record: record.certified_accuracy, default=None)
    return None if best is None else (best.certified_accuracy, best.soundness)


def unbroken_share(model: ModelRecord, norm: str, eps: str) -> float | None:
    """Share of samples with no known error in a ball, from attacks and from what certification broke."""
    shares = [
        bracket.robust_accuracy
        for bracket in model.brackets
        if bracket.eps > 0 and _is(bracket.norm, bracket.eps, norm, eps)
    ]
    if not isinstance(model.robustness, Skipped):
        shares += [item.robust_accuracy for item in model.robustness if _is(item.norm, item.eps, norm, eps)]
    for record in _certificates(model):
        if _is(record.norm, record.eps, norm, eps) and record.samples and record.verdicts:
            wrong = record.verdicts.get("falsified", 0) + record.verdicts.get("misclassified", 0)
            shares.append((record.samples - wrong) / record.samples)
    return min(shares, default=None)


def _certificates(model: ModelRecord) -> tuple[CertificateRecord, ...]:
    return () if isinstance(model.certificates, Skipped) else model.certificates


def _is(norm: str, eps: float, asked_norm: str, asked_eps: str) -> bool:
    return norm == asked_norm and same_value(asked_eps, repr(eps))


def _ball(reading: Reading) -> tuple[str, str]:
    chosen = dict(reading.id.selectors)
    return chosen.get("norm", ""), chosen.get("eps", "")


def _is_clean(reading: Reading) -> bool:
    return as_number(_ball(reading)[1]) == 0


def _certified(reading: Reading, model: ModelRecord) -> Reading:
    """What is certified is the lower end of what can be; samples with a known error are out of reach."""
    if _is_clean(reading):
        return reading
    upper = unbroken_share(model, *_ball(reading))
    least = reading.reported or 0.0
    return replace(reading, upper=1.0 if upper is None else max(upper, least))


def _attacked(reading: Reading, model: ModelRecord) -> Reading:
    """What attacks left is the upper end of the robust accuracy; certificates give the lower one."""
    if _is_clean(reading):
        return reading
    known = certified_share(model, *_ball(reading))
    lower, soundness = (0.0, reading.soundness) if known is None else known
    most = 1.0 if reading.reported is None else reading.reported
    return replace(reading, lower=min(lower, most), soundness=soundness)


def _loss(reading: Reading, _model: ModelRecord) -> Reading:
    """Attacks bound the robust loss from below alone."""
    return replace(reading, upper=None)


_ENDS: dict[str, Callable[[Reading, ModelRecord], Reading]] = {
    "certificates.certified_accuracy": _certified,
    "brackets.certified_accuracy": _certified,
    "robustness.robust_accuracy": _attacked,
    "robustness.attacks.robust_accuracy": _attacked,
    "brackets.robust_accuracy": _attacked,
    "robustness.robust_loss": _loss,
    "robustness.attacks.robust_loss": _loss,
}
_FROM_BELOW = ("radii.certified_radius.",)
_FROM_ABOVE = ("adversarial_radii.adversarial_radius.", "adversarial_radii.curve.")
