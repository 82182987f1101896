"""Tasks in children of this process, a few at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from typing import final

from lipcert.audit.engine import AbstractEngine, AbstractWatch
from lipcert.audit.task import Task, begin, finished, settle
from lipcert.supervise import Child

_LOOK = 0.1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A task that runs. `task` is as it was handed in; `current` has the device and what a retry changed."""

    task: Task
    current: Task
    child: Child
    device: str | None


@final
class LocalEngine(AbstractEngine):
    """At most `jobs` children at a time; where `devices` are named, one child a device and no more."""

    def __init__(self, jobs: int, devices: tuple[str, ...] = ()) -> None:
        self._jobs = min(jobs, len(devices)) if devices else jobs
        self._free = list(devices)
        self._running: list[_Work] = []

    def run(self, tasks: Iterable[Task], watch: AbstractWatch) -> None:
        """Do every task; see `AbstractEngine`."""
        waiting = iter(tasks)
        try:
            while self._fill(waiting, watch):
                wait([handle for work in self._running for handle in work.child.handles], timeout=_LOOK)
                watch.tick()
                if not self._look(watch):
                    return
        finally:
            for work in self._running:
                work.child.kill()
            self._running.clear()

    def _fill(self, waiting: Iterator[Task], watch: AbstractWatch) -> bool:
        """Start what there is room for; False where nothing runs any more."""
        while len(self._running) < self._jobs:
            task = next(waiting, None)
            if task is None:
                break
            if finished(task) is not None:  # another process was faster
                continue
            watch.started(task)
            device = self._free.pop() if self._free else None
            self._start(task, _placed(task, device), device)
        return bool(self._running)

    def _start(self, task: Task, current: Task, device: str | None) -> None:
        self._running.append(_Work(task=task, current=current, child=begin(current), device=device))

    def _look(self, watch: AbstractWatch) -> bool:
        """Take in what has ended; False where the watch wants no more."""
        for work in list(self._running):
            outcome = work.child.step(0)
            if outcome is None:
                continue
            self._running.remove(work)
            status, again = settle(work.current, outcome)
            if again is not None:
                self._start(work.task, again, work.device)
                continue
            if work.device is not None:
                self._free.append(work.device)
            if not watch.ended(work.task, status):
                return False
        return True


def _placed(task: Task, device: str | None) -> Task:
    settings = task.request.settings
    if device is None or settings.device == "cpu":
        return task
    return replace(task, request=replace(task.request, settings=replace(settings, device=device)))
