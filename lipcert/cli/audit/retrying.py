"""What `lipcert audit retry` does with its options."""

from __future__ import annotations

from typing import Any

from lipcert.audit.index import Index
from lipcert.audit.plan import load_plan
from lipcert.cli import values
from lipcert.cli.audit import delivery, workload
from lipcert.cli.audit.session import carry_out


def run(given: dict[str, Any]) -> int:
    """Do again what could not be concluded on, deliver the leaderboard, and return the exit code."""
    store = workload.store(given)
    store.check()
    store.create()
    targets = delivery.targets(given)
    plan, index = load_plan(store), Index(store)
    left = plan.left(index.refresh(), "failed")
    retries = values.whole(given["retries"], "--retries", least=0, most=100)
    tasks = plan.tasks(
        left, store, workload.share(given), overwrite="failed", retries=1 if retries is None else retries
    )  # fmt: skip
    return carry_out(given, tasks, count=len(left), plan=plan, index=index, targets=targets)
