"""The gate over a zoo."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from lipcert.audit.plan import Plan
from lipcert.audit.report import audit_report
from lipcert.audit.store import Store
from lipcert.audit.summary import Row
from lipcert.policy import Baseline, Config, FailOn, evaluate, exit_code, gate, is_unsure
from lipcert.records import CheckRecord, codec
from lipcert.records.audit import AuditReport


def judged(
    plan: Plan,
    rows: Mapping[str, Row],
    store: Store,
    config: Config,
    *,
    baseline: Baseline | None = None,
    fail_on: FailOn,
    exit_zero: bool,
) -> AuditReport:
    """The document on a zoo with every check of the configuration on every model that was analysed."""
    checks: dict[str, tuple[CheckRecord, ...] | None] = {}
    for member in plan.members:
        row = rows.get(member.key)
        if row is not None and row["status"] == "analyzed" and member.key not in checks:
            checks[member.key] = _checks(store, member.key, as_typed(Path(member.path)), config, baseline)
    report = audit_report(plan, rows, {key: found for key, found in checks.items() if found is not None})
    found = [check for model in report.models for check in model.checks]
    unread = sum(each is None for each in checks.values())
    lost = report.summary.inconclusive + report.summary.pending + unread
    verdict = gate(found, fail_on, failures=lost)
    code = exit_code(verdict, unsure=is_unsure(found, fail_on, failures=lost), exit_zero=exit_zero)
    code = 2 if report.summary.exit_code == 2 else code
    return replace(report, summary=replace(report.summary, gate=verdict, exit_code=code))


def as_typed(path: Path) -> str:
    """A path as someone in this folder would type it, which is what patterns of a configuration are about."""
    absolute, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100  a link keeps its name
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def _checks(
    store: Store, key: str, path: str, config: Config, baseline: Baseline | None
) -> tuple[CheckRecord, ...] | None:
    """Checks on one stored result; None on a result of another version of the schema, which cannot be judged."""
    try:
        model = codec.from_json(store.result(key).read_bytes()).models[0]
    except (OSError, ValidationError, IndexError):
        return None
    return evaluate(replace(model, path=path), config, baseline, alone=False)
