"""What differs between training and test samples, and what is measured inside the network, in words."""

from __future__ import annotations

from collections.abc import Sequence

from lipcert.records import ModelRecord, ResilienceRecord, Skipped, TrainingGapRecord
from lipcert.render.notation import count, nearest, radius, share

HEAD = ("training -> test", "train", "test", "gap", "95 % interval")


def gaps(model: ModelRecord) -> tuple[TrainingGapRecord, ...]:
    """The records, none where they were skipped."""
    return () if isinstance(model.training_gaps, Skipped) else model.training_gaps


def row(record: TrainingGapRecord) -> list[str]:
    """One quantity: its name, both means, their difference and its interval; of shares, percentage points (pp)."""
    where = "" if record.norm is None or record.eps is None else f", {record.norm} {radius(record.eps)}"
    name = record.quantity.replace("_", " ") + where
    low, high = record.ci95
    if record.quantity.endswith("accuracy"):
        sides = [share(record.train, record.train_samples), share(record.test, record.test_samples)]
        return [name, *sides, f"{_signed(100 * record.gap)} pp", _between(100 * low, 100 * high)]
    return [name, nearest(record.train), nearest(record.test), _signed(record.gap), _between(low, high)]


def attacks(records: Sequence[TrainingGapRecord]) -> list[str]:
    """What was run on how many samples, each statement once."""
    sizes = dict.fromkeys((one.train_samples, one.test_samples) for one in records if not one.attack)
    lines = [f"clean: {count(train)} training and {count(test)} test samples" for train, test in sizes]
    by_attack = dict[tuple[str, int], list[str]]()
    for one in records:
        if one.attack and one.norm is not None:
            norms = by_attack.setdefault((one.attack, one.train_samples), [])
            norms += [one.norm] if one.norm not in norms else []
    found = by_attack.items()
    return lines + [f"{', '.join(norms)}: {name} on {count(size)} samples of each" for (name, size), norms in found]


def resilience(model: ModelRecord) -> tuple[ResilienceRecord, ...]:
    """The records, none where they were skipped."""
    return () if isinstance(model.noise_resilience, Skipped) else model.noise_resilience


def sensitive(records: Sequence[ResilienceRecord]) -> str:
    """Where relative noise grows most on its way to the logits."""
    most = max(records, key=lambda one: one.sensitivity.median)
    place = "the input" if most.place == "input" else most.place
    factor = nearest(most.sensitivity.median)
    return f"noise at {place} can reach the logits {factor} times as large, relative to them (median, {most.soundness})"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{nearest(value, 2)}"


def _between(low: float, high: float) -> str:
    return f"{_signed(low)} to {_signed(high)}"
