"""A comparison in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from lipcert.records.compare import VERDICTS, ChangeRecord, CompareReport, EndsRecord, ModelComparison
from lipcert.records.metrics import ALIASES, parse
from lipcert.render.notation import both_ends, nearest

_WORDS = {
    "worse": "WORSE",
    "better": "better",
    "changed": "changed",
    "maybe_worse": "worse?",
    "maybe_better": "better?",
    "maybe_changed": "changed?",
    "same": "same",
}
_NAMES = {target: alias for alias, target in ALIASES.items()}
_UNSAID = {"scope": "global"}
_MANY = 5


def word(change: ChangeRecord) -> str:
    """The verdict; a question mark where what is known leaves it open."""
    return _WORDS[change.verdict]


def label(metric: str) -> str:
    """A short name: the alias where there is one, and the ball or layer behind it."""
    if metric in _NAMES:
        return _NAMES[metric]
    found = parse(metric)
    name = _NAMES.get(found.path, found.path)
    chosen = [value for key, value in found.selectors if _UNSAID.get(key) != value]
    return " ".join([name, *chosen])


def ends(record: EndsRecord) -> str:
    """Both ends, rounded outward."""
    return both_ends(record.lower, record.upper)


def reason(change: ChangeRecord) -> str:
    """Why the verdict is sure or not."""
    return "" if change.verdict == "same" else change.reason


def reasons(changes: Sequence[ChangeRecord]) -> list[str]:
    """Why verdicts are sure or not, each reason once, with the numbers it holds for; all the others by one word."""
    found: dict[str, list[str]] = {}
    for change in changes:
        if reason(change):
            found.setdefault(reason(change), []).append(label(change.metric))
    most = max(found, key=lambda why: len(found[why]), default="")
    rest = [f"{', '.join(names)}: {why}" for why, names in found.items() if why != most or len(names) < _MANY]
    return [*rest, f"elsewhere {most}"] if most and len(found[most]) >= _MANY else rest


def shown(model: ModelComparison, *, full: bool) -> list[ChangeRecord]:
    """The headline numbers, or all that moved."""
    return [change for change in model.changes if full or change.headline]


def headline(report: CompareReport) -> str:
    """One sentence: what became of the headline numbers."""
    changes = [change for model in report.models for change in model.changes if change.headline]
    counts = Counter(change.verdict for change in changes)
    if not changes:
        return "nothing to compare"
    moved = [f"{counts[verdict]} {_SENTENCE[verdict]}" for verdict in VERDICTS if counts[verdict]]
    return f"of {len(changes)} headline numbers {', '.join(moved)}"


_SENTENCE = {
    "worse": "surely worse",
    "better": "surely better",
    "changed": "changed",
    "maybe_worse": "perhaps worse",
    "maybe_better": "perhaps better",
    "maybe_changed": "perhaps changed",
    "same": "the same",
}


def verdict(report: CompareReport) -> str:
    """One word in capitals."""
    if report.gate == "inconclusive":
        return "INCONCLUSIVE"
    found = {change.verdict for model in report.models for change in model.changes if change.headline}
    if "worse" in found:
        return "WORSE"
    if "maybe_worse" in found:
        return "PERHAPS WORSE"
    if found & {"better", "maybe_better"}:
        return "BETTER" if "better" in found else "PERHAPS BETTER"
    return "SAME" if found else "NOTHING TO COMPARE"


def remarks(report: CompareReport) -> list[str]:
    """What to know before believing the table."""
    lines = [f"not comparable, compared all the same: {text}" for text in report.differences if report.forced]
    lines += [f"on one side alone: {path}" for path in report.unmatched]
    lines += list(report.notes)
    for model in report.models:
        lines += [f"gone: {label(name)}" for name in model.gone]
        lines += [f"new: {label(name)}" for name in model.new]
    return lines


def paired(model: ModelComparison) -> Iterable[tuple[str, str, str, str]]:
    """Metric, samples that only the first and only the second got, and the p-value."""
    for record in model.paired:
        counts = record.counts
        yield label(record.metric), str(counts.only_first), str(counts.only_second), nearest(counts.p_value, 2)


def rest(model: ModelComparison) -> str:
    """What the table leaves out."""
    moved = sum(not change.headline for change in model.changes)
    return f"{moved:,} of {model.compared:,} other numbers moved" if moved else ""
