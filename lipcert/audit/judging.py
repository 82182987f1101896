"""The gate over a zoo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from lipcert.audit.plan import Plan
from lipcert.audit.report import audit_report
from lipcert.audit.store import Store
from lipcert.audit.summary import Row
from lipcert.policy import Config, FailOn, evaluate, exit_code, gate, is_unsure
from lipcert.records import CheckRecord, codec
from lipcert.records.audit import AuditReport


def judged(
    plan: Plan, rows: Mapping[str, Row], store: Store, config: Config, *, fail_on: FailOn, exit_zero: bool
) -> AuditReport:
    """The document on a zoo with every check of the configuration on every model that was analysed."""
    checks: dict[str, tuple[CheckRecord, ...]] = {}
    for member in plan.members:
        row = rows.get(member.key)
        if row is not None and row["status"] == "analyzed" and member.key not in checks:
            checks[member.key] = _checks(store, member.key, member.path, config)
    report = audit_report(plan, rows, checks)
    found = [check for model in report.models for check in model.checks]
    lost = report.summary.inconclusive + report.summary.pending
    verdict = gate(found, fail_on, failures=lost)
    code = exit_code(verdict, unsure=is_unsure(found, fail_on, failures=lost), exit_zero=exit_zero)
    code = 2 if report.summary.exit_code == 2 else code
    return replace(report, summary=replace(report.summary, gate=verdict, exit_code=code))


def _checks(store: Store, key: str, path: str, config: Config) -> tuple[CheckRecord, ...]:
    """Checks on one stored result; a result of another version of the schema has none."""
    try:
        model = codec.from_json(store.result(key).read_bytes()).models[0]
    except (OSError, ValidationError, IndexError):
        return ()
    return evaluate(replace(model, path=path), config, alone=False)
