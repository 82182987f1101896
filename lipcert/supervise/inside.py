"""What runs inside the child."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from importlib import import_module
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, final

from lipcert.records import codec
from lipcert.supervise import guard
from lipcert.supervise.call import Call
from lipcert.supervise.failure import encode
from lipcert.supervise.limits import Limits, confine
from lipcert.supervise.server import leave_server

STOP = signal.SIGINT
_PATIENCE = 3.0
_EVERY = 0.05


@final
class _Stopped(BaseException):
    """The parent asks for what there is so far. No `except Exception` on the way may swallow it."""


def main(call: Call, limits: Limits, lines: Connection, words: Connection) -> None:
    """Do what `call` says and write JSON lines to `lines`; what the model prints goes to `words`."""
    os.setpgid(0, 0)  # a Ctrl-C in the terminal is the parent's business
    leave_server()
    guard.die_with_parent()
    _mute(words.fileno())
    confine(limits)
    voice = _Voice(lines.fileno())
    guard.watch(voice.give_up)
    signal.signal(STOP, voice.stop)
    try:
        _set_threads(limits.threads)
        voice.finish({"result": codec.to_json(_result(call, voice))})
    except BaseException as error:  # noqa: BLE001  whatever happens is this model's result
        # A runtime that was stopped in the middle may turn that into an error of its own.
        if voice.stopped:
            voice.finish_partial()
        voice.finish({"error": encode(error)})


def _result(call: Call, voice: _Voice) -> Any:
    module, _, name = call.function.partition(":")
    function = getattr(import_module(module), name)
    keywords = dict(call.keywords)
    if call.observed:
        keywords["progress"] = voice.progress
    if call.kept:
        keywords["keep"] = voice.keep
    return function(*call.arguments, **keywords)


def _mute(words: int) -> None:
    """Nothing to read, and nothing that is printed reaches the parent's own output."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(words, 1)
    os.dup2(words, 2)


def _set_threads(threads: int | None) -> None:
    if threads is None:
        return
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


@final
class _Voice:
    """What the child tells its parent: one JSON document a line."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._record: Any = None
        self._told = 0.0
        self.stopped = False

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Leave what is being done; the handler of the signal that asks for it."""
        signal.signal(STOP, signal.SIG_IGN)
        self.stopped = True
        raise _Stopped

    def progress(self, analysis: str, done: int, total: int) -> None:
        """Pass on a step, the first and the last at once and the others not more often than anyone can see."""
        now = time.monotonic()
        if 0 < done < total and now - self._told < _EVERY:
            return
        self._told = now
        self._say({"progress": [analysis, done, total]})

    def keep(self, record: Any) -> None:
        """Remember the record so far."""
        self._record = record

    def finish(self, message: dict[str, Any]) -> None:
        """The last message; the process ends here, and whatever the model left to be torn down is not waited for."""
        with contextlib.suppress(OSError):  # nobody listens any more
            self._say(message)
        os._exit(0)

    def finish_partial(self) -> None:
        """End with the record so far."""
        self.finish({"partial": None if self._record is None else codec.to_json(self._record)})

    def give_up(self) -> None:
        """End with the record so far, should the main thread not do so itself in a while."""
        time.sleep(_PATIENCE)
        self.finish_partial()

    def _say(self, message: dict[str, Any]) -> None:
        data = memoryview(json.dumps(message).encode() + b"\n")
        with self._lock:
            while data:
                data = data[os.write(self._pipe, data) :]
