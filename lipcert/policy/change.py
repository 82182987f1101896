"""Whether a number changed, and whether by more than what is known of it leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from lipcert.policy.intervals import clopper_pearson
from lipcert.records import PairedRecord
from lipcert.records.compare import ChangeRecord, ChangeVerdict, EndsRecord
from lipcert.records.metrics import Reading, better_of

SIGNIFICANT = 0.05
_FLOAT_ERROR = 1e-9
HEADLINES = (
    "margins.clean_accuracy",
    "margins.clean_loss",
    "certificates.certified_accuracy",
    "robustness.robust_accuracy",
    "robustness.robust_loss",
    "radii.certified_radius.median",
    "adversarial_radii.adversarial_radius.median",
    "lipschitz.value",
    "jacobian.statistics.spectral_norm.median",
    "layers.spectral_outlier",
    "evaluation.failed",
    "diagnostics.errors",
    "diagnostics.warnings",
)
"""The few numbers that are always shown, and that alone gate."""

Better = Literal["higher", "lower"]


def change(before: Reading, after: Reading, paired: Mapping[str, PairedRecord]) -> ChangeRecord:
    """One number in both reports. Both readings must have a value."""
    better = better_of(before.id.path)
    counts = paired.get(str(before.id))
    move = _move(before, after, better)
    first, second = _ends(before, moved=move != 0), _ends(after, moved=move != 0)
    sure, reason = (
        (True, "nothing moved") if move == 0 else _beyond(first, second, counts, of_samples=before.samples is not None)
    )
    return ChangeRecord(
        metric=str(before.id),
        before=first,
        after=second,
        better=better,
        verdict=_verdict(move, better, sure=sure),
        reason=reason,
        headline=before.id.path in HEADLINES,
        p_value=None if counts is None else counts.p_value,
    )


def _ends(reading: Reading, *, moved: bool) -> EndsRecord:
    """The ends, with an interval where there is something to judge."""
    return EndsRecord(
        lower=reading.lower,
        upper=reading.upper,
        soundness=reading.soundness,
        interval=_interval(reading) if moved else reading.interval,
    )


def _interval(reading: Reading) -> tuple[float, float] | None:
    """Where the population's number lies: as reported, or exact for a share of samples."""
    if reading.interval is not None or not reading.samples or reading.reported is None:
        return reading.interval
    hits = reading.reported * reading.samples
    if not reading.id.path.rpartition(".")[2].endswith("accuracy") or abs(hits - round(hits)) > 1e-6:
        return None
    return clopper_pearson(round(hits), reading.samples)


def _move(before: Reading, after: Reading, better: Better | None) -> float:
    """How far the number went up; by the guaranteed end first, then by the other one."""
    ends = [(before.lower, after.lower), (before.upper, after.upper)]
    if better == "lower":
        ends.reverse()
    for old, new in ends:
        if old is not None and new is not None and abs(new - old) > _FLOAT_ERROR * max(abs(old), abs(new)):
            return new - old
    return 0.0


def _beyond(
    before: EndsRecord, after: EndsRecord, counts: PairedRecord | None, *, of_samples: bool
) -> tuple[bool, str]:
    """Whether a change is more than what is known leaves open, and why."""
    if _overlap((before.lower, before.upper), (after.lower, after.upper)):
        return False, "the enclosures overlap"
    if counts is not None:
        text = f"{counts.only_first} samples lost, {counts.only_second} won, p = {counts.p_value:.2g}"
        return counts.p_value < SIGNIFICANT, text
    if before.interval is not None and after.interval is not None:
        apart = not _overlap(before.interval, after.interval)
        return apart, f"the 95 % intervals {'lie apart' if apart else 'overlap'}"
    if of_samples and before.lower == before.upper and after.lower == after.upper:
        return False, "on these samples; no interval is known for others"
    if before.lower == before.upper and after.lower == after.upper:
        return True, "both are known exactly"
    return True, "the enclosures lie apart"


def _overlap(first: tuple[float | None, float | None], second: tuple[float | None, float | None]) -> bool:
    """Whether two intervals share a number; an end that does not exist leaves everything open."""
    (low_a, high_a), (low_b, high_b) = first, second
    apart_up = high_a is not None and low_b is not None and high_a < low_b
    apart_down = high_b is not None and low_a is not None and high_b < low_a
    return not (apart_up or apart_down)


def _verdict(move: float, better: Better | None, *, sure: bool) -> ChangeVerdict:
    if move == 0:
        return "same"
    if better is None:
        return "changed" if sure else "maybe_changed"
    improved = (move > 0) == (better == "higher")
    if improved:
        return "better" if sure else "maybe_better"
    return "worse" if sure else "maybe_worse"
