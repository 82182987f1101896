"""All checks run, and what they come to."""

from __future__ import annotations

from lipcert.analyses.evaluation.base import CHECKS, Check, Evidence, Finding
from lipcert.records.evaluation import EvaluationCheck, EvaluationRecord, Trust


def evaluate(evidence: Evidence) -> EvaluationRecord:
    """Every check of the model, and of the largest ball of each norm."""
    checks: list[EvaluationCheck] = []
    for name, check in CHECKS.items():
        if check.of_model is not None:
            checks.append(_record(name, check, check.of_model(evidence)))
        if check.of_ball is not None:
            found = [(entry.name, check.of_ball(evidence, entry)) for entry in evidence.widest]
            checks += [_record(name, check, finding, ball) for ball, finding in found]
    return EvaluationRecord(verdict=_verdict(checks), checks=tuple(checks))


def _verdict(checks: list[EvaluationCheck]) -> Trust:
    found = {check.status for check in checks}
    return "broken" if "fail" in found else "doubtful" if "warn" in found else "sound"


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
