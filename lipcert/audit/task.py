"""One model analysed in a supervised child, its result put into the store: the same for every engine."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

from pydantic import TypeAdapter

from lipcert.audit.store import Store
from lipcert.audit.summary import summarise
from lipcert.errors import KilledModelError, LipcertError, MemoryLimitError
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.records import AnalyzeSettings, ErrorRecord, Report, Summary, codec
from lipcert.records.tool import tool_record
from lipcert.supervise import Call, Child, Limits, Outcome
from lipcert.supervise.failure import encode

Status = Literal["analyzed", "inconclusive"]
FUNCTION = "lipcert.pipeline.files:analyze_file"
_RETRIES = 1
_PHASES = {"usage": "arguments", "configuration": "arguments", "data": "data"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one analysis needs, as plain data: `plain` and `from_plain` turn it into a JSON object and back.

    key        names the result in the store
    store      folder of the store
    overwrite  which results that exist are made again: "only-missing", "failed" or "always"
    retries    how often an analysis that was killed from outside is tried again
    attempt    which try this is, from 1
    """

    key: str
    name: str
    store: str
    request: AnalyzeRequest
    limits: Limits
    overwrite: str = "only-missing"
    retries: int = _RETRIES
    attempt: int = 1

    def plain(self) -> dict[str, Any]:
        """The task as a JSON object."""
        found: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return found

    @staticmethod
    def from_plain(found: dict[str, Any]) -> Task:
        """The task from a JSON object."""
        return _ADAPTER.validate_python(found)


_ADAPTER = TypeAdapter(Task)


def run_task(task: dict[str, Any]) -> str:
    """Do one task from beginning to end and return its status, "analyzed" or "inconclusive".

    task  a task as plain data; its result is written to its store by whoever calls this. Raises StoreError where that
          cannot be done.
    """
    left: Task | None = Task.from_plain(task)
    status: Status = "inconclusive"
    while left is not None:
        done = finished(left)
        if done is not None:
            return done
        child = begin(left)
        try:
            outcome = None
            while outcome is None:
                outcome = child.step()
        finally:
            child.kill()
        status, left = settle(left, outcome)
    return status


def finished(task: Task) -> Status | None:
    """The status of a result that is there already and is not to be made again; None where there is work to do."""
    if task.overwrite == "always":
        return None
    document = Store(Path(task.store)).read(task.key)
    row = None if document is None else summarise(document)
    if row is None or (task.overwrite == "failed" and row["status"] != "analyzed"):
        return None
    return "analyzed" if row["status"] == "analyzed" else "inconclusive"


def begin(task: Task) -> Child:
    """Start the child of a task, and note the attempt."""
    _note(task, "start")
    call = Call(function=FUNCTION, arguments=(task.request,), observed=True, kept=True)
    return Child(call, task.limits)


def settle(task: Task, outcome: Outcome) -> tuple[Status, Task | None]:
    """What came of a task: its status, and the task to do in its stead where another try is worth it."""
    again = _again(task, outcome)
    status: Status = "analyzed" if outcome.text is not None else "inconclusive"
    if again is None:
        text = outcome.text if outcome.text is not None else _failed(task, outcome)
        Store(Path(task.store)).write(task.key, text)
    cause = None if outcome.error is None else str(encode(outcome.error)["code"])
    what = "retry" if again is not None else status
    seconds, memory = round(outcome.seconds, 3), outcome.peak_rss
    _note(task, what, seconds=seconds, peak_rss_bytes=memory, **({} if cause is None else {"cause": cause}))
    return status, again


def _note(task: Task, event: str, **more: Any) -> None:
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    place = {"host": socket.gethostname(), "pid": os.getpid()}
    Store(Path(task.store)).log(
        task.key, event=event, attempt=task.attempt, model=task.name, time=when, **place, **more
    )


def _again(task: Task, outcome: Outcome) -> Task | None:
    """The next try: with half the batch where memory ran out, once; as it was where someone killed it."""
    error = outcome.error
    batch = task.request.settings.batch_size
    if task.attempt > task.retries or error is None:
        return None
    if isinstance(error, MemoryError | MemoryLimitError | KilledModelError):
        settings = replace(task.request.settings, batch_size=max(1, batch // 2))
        return replace(task, request=replace(task.request, settings=settings), attempt=task.attempt + 1)
    return None


def _failed(task: Task, outcome: Outcome) -> str:
    """The document of an analysis without a result; what it had so far is kept where there is something."""
    assert outcome.error is not None
    found = encode(outcome.error)
    code = str(found["code"])
    record = ErrorRecord(
        model=task.name,
        code=code,
        phase=_PHASES.get(code, "run" if code.startswith("internal") else "load"),
        message=str(found["message"]) or code,
        hint=str(found.get("hint", "")),
        operators=tuple(found.get("operators", ())),
    )
    exit_code = outcome.error.exit_code if isinstance(outcome.error, LipcertError) else 3
    summary = Summary(models=1, analyzed=0, inconclusive=1, gate="none", exit_code=exit_code)
    if outcome.partial is not None:
        partial = json.loads(outcome.partial)
        partial["errors"] = [codec.adapter(ErrorRecord).dump_python(record, mode="json")]
        return codec.written(partial)
    settings: AnalyzeSettings = task.request.settings
    report = Report(
        tool=tool_record(), run=None, settings=settings, models=(), summary=summary, errors=(record,)
    )  # fmt: skip
    return codec.to_json(report)
