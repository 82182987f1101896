"""What `lipcert audit export` does with its options."""

from __future__ import annotations

from typing import Any

from lipcert.audit.index import Index
from lipcert.audit.plan import load_plan
from lipcert.cli.audit import delivery, workload
from lipcert.cli.audit.session import leaderboard


def run(given: dict[str, Any]) -> int:
    """Write the leaderboard of the results so far; 0 once it is written, unless a gate was asked for."""
    store = workload.store(given)
    store.check()
    targets = delivery.targets(given)
    report = leaderboard(given, load_plan(store), Index(store))
    delivery.deliver(report, targets, color=delivery.color(given))
    return report.summary.exit_code if given["config"] is not None else 0
