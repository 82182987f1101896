"""From checks to one verdict and one exit code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from lipcert.policy.config import FailOn
from lipcert.records import CheckRecord

Gate = Literal["pass", "fail", "inconclusive", "none"]
_RANK = {"note": 0, "warning": 1, "error": 2, "never": 3}


def gated(checks: Iterable[CheckRecord], fail_on: FailOn) -> list[CheckRecord]:
    """The checks that count: at or above the level, and not ignored."""
    return [check for check in checks if _RANK[check.level] >= _RANK[fail_on] and check.ignored is None]


def gate(checks: Iterable[CheckRecord], fail_on: FailOn, *, failures: int = 0) -> Gate:
    """The verdict over all models: it passes where every check that counts has passed, and every model was analysed.

    failures  models that could not be concluded on

    A failed check decides before an inconclusive one. "none" where nothing counts, which is not a pass.
    """
    states = [check.state for check in gated(checks, fail_on)]
    if "fail" in states:
        return "fail"
    if failures or any(state != "pass" for state in states):
        return "inconclusive"
    return "pass" if states else "none"


def exit_code(verdict: Gate, *, unsure: bool, exit_zero: bool) -> int:
    """0, 1 or 3.

    unsure     whether something besides the failed checks could not be concluded
    exit_zero  a failed gate ends in 0, and nothing else does: what could not be concluded still ends in 3
    """
    if verdict == "fail" and not exit_zero:
        return 1
    return 3 if verdict == "inconclusive" or (verdict == "fail" and unsure) else 0


def is_unsure(checks: Iterable[CheckRecord], fail_on: FailOn, *, failures: int = 0) -> bool:
    """Whether a check that counts, or a model, is neither a pass nor a failure."""
    return failures > 0 or any(check.state not in {"pass", "fail"} for check in gated(checks, fail_on))
