"""All checks run, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lipcert.analyses.evaluation.base import CHECKS, Check, Evidence, Finding, not_applicable
from lipcert.records.evaluation import EvaluationCheck, EvaluationRecord, Trust

_SPENT = "the time budget was spent before this check"
_NOTHING = "every sample is misclassified before any attack"


def evaluate(evidence: Evidence) -> EvaluationRecord:
    """Every check of the model, and of the largest ball of each norm."""
    checks: list[EvaluationCheck] = []
    for name, check in CHECKS.items():
        if check.of_model is not None:
            run = partial(check.of_model, evidence)
            checks.append(_record(name, check, _in_time(evidence, run)))
        if check.of_ball is not None:
            for entry in evidence.widest:
                run = partial(check.of_ball, evidence, entry)
                checks.append(_record(name, check, _in_time(evidence, run), entry.name))
    return EvaluationRecord(verdict=_verdict(checks), checks=tuple(checks))


def _in_time(evidence: Evidence, run: Callable[[], Finding]) -> Finding:
    if not len(evidence.rows):
        return not_applicable(_NOTHING)
    return not_applicable(_SPENT) if evidence.deadline.passed else run()


def _verdict(checks: list[EvaluationCheck]) -> Trust:
    """Checks that there was no time for leave a doubt; those that do not apply leave none."""
    found = {check.status for check in checks}
    doubt = "warn" in found or any(check.message == _SPENT for check in checks)
    return "broken" if "fail" in found else "doubtful" if doubt else "sound"


def _record(name: str, check: Check, finding: Finding, ball: str = "") -> EvaluationCheck:
    return EvaluationCheck(
        id=f"evaluation.{name}",
        status=finding.status,
        ball=ball,
        value=finding.value,
        threshold=finding.threshold,
        samples=finding.samples,
        message=finding.message,
        hint=check.hint if finding.status in ("warn", "fail") else "",
        reference=check.reference,
    )
