"""Tasks on the machines of a Ray cluster (the extra `ray`).

Ray places the tasks and tries again where a machine is lost; each task supervises its model in a child of its own, as
everywhere, and writes the result to the store itself. Nothing but the word "analyzed" or "inconclusive" travels back,
and only as many tasks as the cluster has room for are handed over at a time, so that the driver's memory does not grow
with the zoo. The store must lie where every machine reaches it under the same path.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, final

import ray as typed_ray
import ray.exceptions as typed_exceptions

from lipcert.audit.engine import AbstractEngine, AbstractWatch
from lipcert.audit.store import Store, StoreError
from lipcert.audit.task import Status, Task, finished, run_task, settle
from lipcert.errors import KilledModelError, UsageError
from lipcert.supervise import Outcome

ray: Any = typed_ray  # its own types know the same calls only where the package is installed
exceptions: Any = typed_exceptions

_LOOK = 0.5
_RETRIES = 5
_AHEAD = 2
_CALLS = 100
"""Tasks of one worker. What a model leaves behind is gone with its own child, and a worker costs a second or more to
start, as does the fork server it keeps. One that was lent a GPU serves one task: its fork server knows no other."""
_OBJECT_STORE = 100_000_000
_PATIENCE = 5.0
_FROM_OUTSIDE = frozenset(("model.killed", "model.crashed"))
_SCALING = 300.0
"""Seconds that a cluster which can grow is given to bring up a machine large enough for a task."""

Run: TypeAlias = Callable[[dict[str, Any]], str]


@final
class RayEngine(AbstractEngine):
    """At most one task for every `cpus` CPUs (and `gpus` GPUs) of the cluster.

    jobs     tasks at a time at most; also the size of the cluster that is started where there is no address
    address  of a running cluster ("auto" for the one this machine belongs to); None starts one for this run
    memory   bytes that Ray reserves for a task; 0 for none
    function what is done with a task as plain data; it writes its result and returns the status
    """

    def __init__(
        self,
        jobs: int | None = None,
        *,
        address: str | None = None,
        cpus: float = 1,
        gpus: float = 0,
        memory: int = 0,
        function: Run = run_task,
    ) -> None:
        self._jobs = jobs
        self._address = address
        self._resources = {"num_cpus": cpus, "num_gpus": gpus, **({"memory": memory} if memory else {})}
        self._function = function
        self._running: dict[Any, Task] = {}
        self._remote: Any = None
        self._homeless_since: float | None = None

    def run(self, tasks: Iterable[Task], watch: AbstractWatch) -> None:
        """Do every task; see `AbstractEngine`. Raises UsageError where the cluster cannot be reached."""
        # Ray's threads print what happens to its machines, and stdout is for the result.
        with contextlib.redirect_stdout(sys.stderr):
            try:
                self._run(tasks, watch)
            except SystemError as error:
                # What a signal's handler raises inside one of Ray's compiled calls comes out as the cause of this.
                if error.__cause__ is None or isinstance(error.__cause__, Exception):
                    raise
                raise error.__cause__ from None

    def _run(self, tasks: Iterable[Task], watch: AbstractWatch) -> None:
        ours = not ray.is_initialized()
        if ours:
            self._connect()
        calls = 1 if self._resources["num_gpus"] else _CALLS
        self._remote = ray.remote(max_calls=calls, max_retries=_RETRIES, **self._resources)(self._function)
        waiting = (task for task in tasks if finished(task) is None)
        try:
            while self._fill(waiting, watch):
                done, _ = ray.wait(list(self._running), num_returns=1, timeout=_LOOK)
                watch.tick()
                if not done:
                    self._check_room()
                if not all(self._take(reference, watch) for reference in done):
                    return
        finally:
            for reference in self._running:
                ray.cancel(reference, force=True)
            self._running.clear()
            if ours:
                ray.shutdown()

    def _connect(self) -> None:
        """Join a cluster, or start one on this machine alone."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_worker_niceness", "0")  # as the other engine; Ray's own 15 starves on a busy machine
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        cpus = None if self._jobs is None else max(1, math.ceil(self._jobs * self._resources["num_cpus"]))
        try:
            if self._address is None:
                ray.init(num_cpus=cpus, include_dashboard=False, object_store_memory=_OBJECT_STORE, **quiet)
            else:
                _knock(self._address)
                ray.init(address=self._address, **quiet)
        except Exception as error:  # where a machine of its own takes too long to start, it is no class of its own
            raise UsageError(
                f"no Ray cluster answers at {self._address or 'this machine'}: {str(error).splitlines()[0][:200]}",
                hint="start one with ray start --head, or leave --ray-address out for one on this machine",
            ) from error

    def _check_room(self) -> None:
        """Raise UsageError where no machine has what one task needs; a task without a place would wait for ever."""
        names = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
        wanted = {name: self._resources.get(option, 0) for name, option in names.items()}
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if any(all(machine.get(name, 0.0) >= amount for name, amount in wanted.items()) for machine in machines):
            self._homeless_since = None
            return
        self._homeless_since = self._homeless_since or time.monotonic()
        if self._address is None or time.monotonic() - self._homeless_since > _SCALING:
            needs = ", ".join(f"{amount:g} {name}" for name, amount in wanted.items() if amount)
            raise UsageError(
                f"a task needs {needs}, which no machine of the Ray cluster has",
                hint="lower --threads or --max-memory, or name a larger cluster with --ray-address",
            )

    def _fill(self, waiting: Iterator[Task], watch: AbstractWatch) -> bool:
        """Hand over what there is room for; False where nothing is left. Clusters grow and shrink while they work."""
        for task in islice(waiting, max(0, self._room() - len(self._running))):
            watch.started(task)
            self._start(task)
        return bool(self._running)

    def _room(self) -> int:
        """How many tasks the cluster runs at once, and a few ahead; of a cluster not ours no more than are wished."""
        found = ray.cluster_resources()
        slots = [found.get("CPU", 1.0) / (self._resources["num_cpus"] or 1)]
        if self._resources["num_gpus"]:
            slots.append(found.get("GPU", 0.0) / self._resources["num_gpus"])
        room = max(1, int(min(slots))) + _AHEAD
        return room if self._address is None or self._jobs is None else min(room, self._jobs)

    def _take(self, reference: Any, watch: AbstractWatch) -> bool:
        """Note what has ended; False where the watch wants no more."""
        task = self._running.pop(reference)
        status = _status(reference, task)
        if status == "inconclusive" and task.overwrite != "failed" and _was_killed(task):
            # A machine that goes down may kill the model before its supervisor, which then takes it for the result.
            self._start(replace(task, overwrite="failed"))
            return True
        return watch.ended(task, status)

    def _start(self, task: Task) -> None:
        self._running[self._remote.remote(task.plain())] = task


def _was_killed(task: Task) -> bool:
    """Whether the result says that the model's process ended from outside."""
    document = Store(Path(task.store)).read(task.key) or {}
    return any(error.get("code") in _FROM_OUTSIDE for error in document.get("errors", ()))


def _knock(address: str) -> None:
    """Raise OSError where nothing listens at host:port, for which Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _status(reference: Any, task: Task) -> Status:
    """What a task came to; where its workers were lost again and again, that is the result."""
    try:
        found: Status = ray.get(reference, timeout=60)
    except exceptions.RayTaskError as error:
        raise StoreError(
            f"a worker could not do its task: {error.cause!s:.300}", hint="every machine needs the store and the models"
        ) from error
    except exceptions.RayError as error:
        lost = KilledModelError(
            f"the machine or worker was lost {_RETRIES + 1} times: {type(error).__name__}",
            hint="see the logs of the Ray cluster; audit retry tries the model again",
        )
        status, _ = settle(replace(task, attempt=task.retries + 1), Outcome(error=lost))
        return status
    return found
