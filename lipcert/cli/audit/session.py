"""One run over what is left of a zoo, watched, and its end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lipcert.audit import Plan
from lipcert.audit.index import Index
from lipcert.audit.judging import judged
from lipcert.audit.report import audit_report
from lipcert.audit.task import Task
from lipcert.cli import streams
from lipcert.cli.audit import delivery, workload
from lipcert.cli.audit.watching import LiveWatch
from lipcert.cli.checking import baseline, fail_on
from lipcert.cli.failures import Interrupted, classify
from lipcert.cli.outputs import Target
from lipcert.policy import load_config
from lipcert.records.audit import AuditReport


def carry_out(
    given: dict[str, Any], tasks: Iterable[Task], *, count: int, plan: Plan, index: Index, targets: tuple[Target, ...]
) -> int:
    """Run the tasks, deliver the leaderboard, and return the exit code.

    What is done when someone stops it is in the store, and in the leaderboard.
    """
    _announce(given, plan, count)
    stopped: BaseException | None = None
    try:
        if count:
            with LiveWatch(
                count, quiet=given["quiet"], color=delivery.color(given), fail_fast=given["fail_fast"]
            ) as watch:
                workload.engine(given, workload.devices(given)).run(tasks, watch)
    except (Interrupted, KeyboardInterrupt) as error:
        stopped = error
    report = leaderboard(given, plan, index)
    if stopped is not None:
        code = classify(stopped).exit_code
        report = replace(report, summary=replace(report.summary, exit_code=code))
    delivery.deliver(report, targets, color=delivery.color(given))
    if stopped is not None:
        streams.say(f"lipcert: interrupted; what is done is kept, and this goes on from there:\n  {_again()}")
        raise Interrupted(report.summary.exit_code, delivered=True)
    return report.summary.exit_code


def leaderboard(given: dict[str, Any], plan: Plan, index: Index) -> AuditReport:
    """The document on what is known so far, with the verdict of the gate where there is a configuration."""
    rows = index.refresh()
    if index.damaged:
        delivery.say(given, f"lipcert: {len(index.damaged)} results are damaged and count as missing")
    path: Path | None = given["config"]
    if path is None:
        return audit_report(plan, rows)
    config = load_config(path)
    return judged(
        plan,
        rows,
        index.store,
        config,
        baseline=baseline(given["baseline"], config),
        fail_on=fail_on(given["fail_on"], config),
        exit_zero=given["exit_zero"],
    )


def _announce(given: dict[str, Any], plan: Plan, count: int) -> None:
    total = len({member.key for member in plan.members})
    done = f", {total - count:,} of them done before" if total > count else ""
    delivery.say(given, f"{len(plan.members):,} models{done}; {count:,} to do")


def _again() -> str:
    return " ".join(["lipcert", *sys.argv[1:]])
