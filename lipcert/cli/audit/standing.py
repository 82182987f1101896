"""What `lipcert audit status` does with its options."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lipcert.audit.index import Index
from lipcert.audit.plan import load_plan
from lipcert.cli import streams
from lipcert.cli.audit import delivery, workload
from lipcert.cli.audit.session import leaderboard
from lipcert.records.audit import AuditReport
from lipcert.render.audit.table import causes, tally

_MOST = 20


def run(given: dict[str, Any]) -> int:
    """Say how far an audit is, and return the exit code its results so far stand for."""
    store = workload.store(given)
    store.check()
    targets = delivery.targets(given)
    report = leaderboard(given, load_plan(store), Index(store))
    if targets[0].format == "text" and targets[0].path is None:
        streams.write_result(_text(report))
        delivery.deliver(report, targets[1:], color=delivery.color(given))
    else:
        delivery.deliver(report, targets, color=delivery.color(given))
    return report.summary.exit_code


def _text(report: AuditReport) -> str:
    lines = [tally(report)]
    kinds = Counter(model.error.code for model in report.models if model.error is not None)
    lines += [f"  {count:,} {code}" for code, count in kinds.most_common()]
    found = causes(report)
    lines += [f"  {name}: {message}" for name, message in found[:_MOST]]
    lines += [f"  and {len(found) - _MOST:,} more"] if len(found) > _MOST else []
    return "\n".join(lines) + "\n"
