"""The checks of a gate in words. Only "pass" ever reads as passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lipcert.records import CheckRecord, CheckState, ModelRecord
from lipcert.render.notation import both_ends, short

STATES: tuple[CheckState, ...] = ("fail", "error", "inconclusive", "skipped", "pass")
"""The gravest first."""

MEANING = {
    "pass": "surely met",
    "fail": "surely not met",
    "inconclusive": "what is known does not decide it",
    "skipped": "the number is not in the report",
    "error": "the model could not be concluded on",
}
GATES = {"pass": "GATE PASSES", "fail": "GATE FAILS", "inconclusive": "GATE INCONCLUSIVE", "none": "no gate"}
"""What a run came to, over all its models."""

_LEVELS = ("error", "warning", "note")


def ordered(model: ModelRecord) -> list[CheckRecord]:
    """The checks, those that did not pass first and ignored ones after them, the gravest level first."""
    return sorted(
        model.checks, key=lambda c: (c.state == "pass", c.ignored is not None, STATES.index(c.state), _level(c))
    )


def _level(check: CheckRecord) -> int:
    return _LEVELS.index(check.level)


def gates(check: CheckRecord) -> bool:
    """Whether a check holds a build up: it did not pass, and nobody said to ignore it."""
    return check.state != "pass" and check.ignored is None


def tally(checks: Iterable[CheckRecord]) -> str:
    """How many ended how: "9 pass, 1 fail, 1 ignored"; one that is ignored and did not pass counts as ignored alone."""
    counts = Counter("ignored" if c.state != "pass" and c.ignored is not None else c.state for c in checks)
    order = ("pass", *STATES[:-1], "ignored")
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state]) or "no checks"


def word(check: CheckRecord) -> str:
    """The state in capitals, so that it stands out without colour; "ignored" takes the place of what is not heeded."""
    if check.state == "pass":
        return "pass"
    return "ignored" if check.ignored is not None else check.state.upper()


def value(check: CheckRecord) -> str:
    """What is known of the number, its lower end rounded down and its upper end up."""
    return both_ends(check.lower, check.upper)


def limit(check: CheckRecord) -> str:
    """What was asked of it."""
    parts = [] if check.minimum is None else [f">= {short(check.minimum)}"]
    parts += [] if check.maximum is None else [f"<= {short(check.maximum)}"]
    if check.regression is not None:
        before = "" if check.baseline is None else f" than {short(check.baseline, 4)}"
        parts.append(f"worse by at most {check.regression}{before}")
    return " and ".join(parts)


def place(check: CheckRecord) -> str:
    """Where the configuration declares it: "lipcert.toml:12"."""
    if check.source is None:
        return ""
    return check.source if check.line is None else f"{check.source}:{check.line}"


def remark(check: CheckRecord) -> str:
    """The message, then the reason for ignoring it with its last day."""
    if check.ignored is None:
        return check.message
    until = f", until {check.expires}" if check.expires else ""
    return f"{check.message} [ignored: {check.ignored}{until}]"
