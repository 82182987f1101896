"""Tasks for tests of the Ray engine, and what workers do with them in place of an analysis."""

import os
import time
from dataclasses import replace
from pathlib import Path

import lipcert.audit.task
import lipcert.supervise.server
from lipcert.audit.engine import AbstractWatch
from lipcert.audit.store import Store
from lipcert.audit.task import Task, run_task
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.records import AnalyzeSettings, codec
from lipcert.supervise import Limits
from tests.audit import fakes
from tests.render.reports import REPORTS


def store_in(folder):
    store = Store(folder / "store")
    store.create()
    return store


def tasks(store, names, model=Path("net.onnx"), settings=None):
    """A task for each name."""
    for name in names:
        request = AnalyzeRequest(model=model, settings=settings or AnalyzeSettings())
        yield Task(key=name, name=name, store=str(store.root), request=request, limits=Limits(threads=1))


def trivial(found):
    """Write a result as an analysis does, and say where and by whom."""
    task = Task.from_plain(found)
    store = Store(Path(task.store))
    store.log(task.key, event="start", pid=os.getpid())
    store.write(task.key, document(task))
    store.log(task.key, event="analyzed", pid=os.getpid())
    return "analyzed"


def document(task):
    return codec.to_json(replace(REPORTS["full"], settings=task.request.settings))


def supervised(found):
    """The whole of a task, a child included, but for the analysis."""
    lipcert.audit.task.FUNCTION, lipcert.supervise.server.PRELOAD = fakes.FUNCTION, "tests.audit.fakes"
    return run_task(found)


def slow(found):
    """The same, long enough to be interrupted."""
    task = Task.from_plain(found)
    Store(Path(task.store)).log(task.key, event="start", pid=os.getpid())
    time.sleep(3)
    return trivial(found)


def dying(found):
    """End the worker, the way a kernel short of memory does."""
    os.kill(os.getpid(), 9)


def failing(found):
    """Fail outside of the model."""
    raise OSError(28, "No space left on device")


class Watch(AbstractWatch):
    def __init__(self, *, stop_after=None, on_tick=None):
        self.begun, self.done, self.most, self._stop_after, self._on_tick = [], {}, 0, stop_after, on_tick

    def started(self, task):
        self.begun.append(task.key)
        self.most = max(self.most, len(self.begun) - len(self.done))

    def ended(self, task, status):
        self.done[task.key] = status
        return self._stop_after is None or len(self.done) < self._stop_after

    def tick(self):
        if self._on_tick is not None:
            self._on_tick(self)
