"""A child from outside: started, watched, stopped, and asked what came of it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Final, final

from lipcert.errors import MemoryLimitError, TimeLimitError
from lipcert.progress import Progress, silent
from lipcert.supervise.call import Call, Outcome
from lipcert.supervise.death import cause
from lipcert.supervise.failure import decode
from lipcert.supervise.inside import STOP, main
from lipcert.supervise.limits import Limits, resident
from lipcert.supervise.lines import JsonLines, Tail
from lipcert.supervise.server import server

GRACE: Final = 6.0
_LOOK: Final = 0.1
_STARTING = threading.Lock()


@final
class Child:
    """One process that does one call.

    `step` is to be called whenever something of `handles` is ready, and ten times a second in any case.
    """

    def __init__(self, call: Call, limits: Limits, progress: Progress = silent) -> None:
        self._process, lines, words = _started(call, limits)
        self._pipes = (lines, words)
        self._lines, self._tail = JsonLines(lines.fileno()), Tail(words.fileno())
        self._limits, self._progress = limits, progress
        self._started = self._looked = time.monotonic()
        self._stop_by: float | None = None
        self._overdue = False
        self._peak = 0

    @property
    def handles(self) -> list[Any]:
        """What `multiprocessing.connection.wait` may wait for."""
        return [*self._pipes, self._process.sentinel]

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self._started

    def step(self, most: float = _LOOK) -> Outcome | None:
        """Wait up to `most` seconds for something to happen; the outcome, once there is one."""
        ready = wait(self.handles, timeout=most)
        self._tail.read()
        for message in self._lines.read():
            outcome = self._heard(message)
            if outcome is not None:
                return outcome
        if self._process.sentinel in ready:
            return self._ended(error=self._cause())
        return self._watch(time.monotonic())

    def stop(self) -> None:
        """Ask for what there is so far; past its grace the child is killed."""
        if self._stop_by is None:
            self._stop_by = time.monotonic() + GRACE
            _signal_to(self._process.pid, STOP)

    def kill(self) -> None:
        """End the child and whatever it started, at once."""
        pid = self._process.pid
        if pid is not None:
            for send in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    send(pid, signal.SIGKILL)
        self._process.join(GRACE)
        for pipe in self._pipes:
            pipe.close()

    def _heard(self, message: dict[str, Any]) -> Outcome | None:
        if "progress" in message:
            with contextlib.suppress(TypeError, ValueError):
                analysis, done, total = message["progress"]
                self._progress(str(analysis), int(done), int(total))
            return None
        if isinstance(message.get("result"), str):
            return self._ended(text=message["result"])
        if isinstance(message.get("error"), dict):
            return self._ended(error=decode(message["error"]))
        if "partial" in message:
            partial = message["partial"]
            return self._ended(error=self._interruption(), partial=partial if isinstance(partial, str) else None)
        return None

    def _watch(self, now: float) -> Outcome | None:
        """Hold the child to its limits."""
        if now - self._looked >= _LOOK:
            self._looked = now
            self._peak = max(self._peak, resident(self._process.pid or 0))
        if self._peak > self._limits.memory:
            return self._ended(error=_too_much(self._peak, self._limits.memory))
        if self._stop_by is not None and now > self._stop_by:
            return self._ended(error=self._interruption())
        if self._limits.timeout is not None and now - self._started > self._limits.timeout and not self._overdue:
            self._overdue = True
            self.stop()
        return None

    def _interruption(self) -> BaseException:
        if self._overdue:
            return TimeLimitError(
                f"the analysis was stopped after {self._limits.timeout:g} s, the time --timeout allows",
                hint="allow more time, use fewer --samples, or --effort fast",
            )
        return KeyboardInterrupt()

    def _cause(self) -> BaseException:
        if self._overdue:
            return self._interruption()
        self._process.join(GRACE)
        return cause(self._process.exitcode, self._tail.words)

    def _ended(self, **found: Any) -> Outcome:
        seconds = self.seconds
        self.kill()
        return Outcome(seconds=seconds, peak_rss=self._peak, **found)


def _started(call: Call, limits: Limits) -> tuple[BaseProcess, Connection, Connection]:
    """A running process, and the two pipes to read from. A fork server that has died is started anew, once."""
    try:
        return _start(call, limits)
    except (OSError, EOFError):
        time.sleep(_LOOK)
        return _start(call, limits)


def _start(call: Call, limits: Limits) -> tuple[BaseProcess, Connection, Connection]:
    context = server(limits.threads)
    lines, lines_in = context.Pipe(duplex=False)
    words, words_in = context.Pipe(duplex=False)
    process = context.Process(target=main, args=(call, limits, lines_in, words_in), daemon=True)
    with _STARTING, lines_in, words_in, _without_main():
        process.start()
    return process, lines, words


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep the child from importing the caller's main script: nothing it is asked for stands there.

    In a worker of Ray that script takes ten times as long as all else of a start.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _signal_to(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _too_much(peak: int, allowed: int) -> MemoryLimitError:
    gigabyte = 2.0**30
    return MemoryLimitError(
        f"the analysis took {peak / gigabyte:.1f} GiB of memory, and --max-memory allows {allowed / gigabyte:.1f} GiB",
        hint="allow more with --max-memory, or use a smaller --batch-size or fewer --samples",
    )
