"""What `lipcert audit` does with its options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lipcert.audit import Entry, Plan, discover, make_plan
from lipcert.audit.cost import estimate
from lipcert.audit.files import Files
from lipcert.audit.index import Index
from lipcert.audit.manifest import read_manifest
from lipcert.audit.zoo import manifest_in
from lipcert.cli import streams, values
from lipcert.cli.analysis import request_from
from lipcert.cli.analyze import OPTIONS
from lipcert.cli.audit import delivery, workload
from lipcert.cli.audit.configuring import configuration, configured, machine
from lipcert.cli.audit.estimate import cost_text
from lipcert.cli.audit.session import carry_out
from lipcert.cli.configured import is_given, not_given, typed
from lipcert.errors import UsageError
from lipcert.pipeline import AnalyzeRequest

_OUTSIDE = {"format", "json", "output", "report", "overwrite", "color", "quiet", "verbose", "timeout", "threads"}
_NAMES = tuple(name for name in OPTIONS if name not in {"model", "config", "no_isolation", *_OUTSIDE})


def run(given: dict[str, Any]) -> int:
    """Audit a zoo, deliver its leaderboard, and return the exit code."""
    targets = delivery.targets(given)
    store, order = workload.store(given), workload.overwrite(given)
    part = workload.shard(given["shard"])
    config = configuration(given["config"])
    entries = _entries(given["targets"])
    if config is not None:
        entries = configured(entries, given, config)
        given = machine(given, config) | {"eps": None, "norm": None}
    allowed = workload.share(given)
    if not given["dry_run"]:
        store.create()
    plan = make_plan(entries, lambda options: _request(options, given), Files(store))
    index = Index(store)
    rows = index.refresh() if store.results.is_dir() else {}
    left = plan.left(rows, order, part)
    if given["dry_run"]:
        streams.write_result(
            cost_text(estimate(plan, left, rows, limits=allowed, jobs=workload.jobs(given), store=store))
        )
        return 0
    plan.save(store)
    tasks = plan.tasks(left, store, allowed, overwrite=order, retries=_retries(given))
    mine = _of(plan, part)
    return carry_out(given, tasks, count=len(left), plan=mine, index=index, targets=targets)


def _retries(given: dict[str, Any]) -> int:
    found = values.whole(given["retries"], "--retries", least=0, most=100)
    return 1 if found is None else found


def _of(plan: Plan, part: tuple[int, int]) -> Plan:
    """What of the zoo this machine answers for."""
    mine = tuple(member for member in plan.members if int(member.key[:12], 16) % part[1] == part[0])
    return replace(plan, members=mine)


def _entries(targets: Sequence[str]) -> list[Entry]:
    manifest = next((found for target in targets if (found := manifest_in(target)) is not None), None)
    if manifest is None:
        return discover(targets)
    if len(targets) > 1:
        raise UsageError("a manifest, or a folder with one, stands alone", hint=f"audit {manifest} by itself")
    return read_manifest(manifest, _NAMES)


def _request(options: dict[str, Any], given: dict[str, Any]) -> AnalyzeRequest:
    """What is typed counts before the manifest."""
    said = {name: given[name] for name in _NAMES if is_given(given.get(name))}
    shown = {name: typed(value, OPTIONS[name]) for name, value in options.items()}
    return request_from({**not_given(), **shown, **said})
