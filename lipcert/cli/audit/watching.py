"""Live progress of an audit on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

from lipcert.audit import AbstractWatch
from lipcert.audit.task import Status, Task
from lipcert.cli import streams
from lipcert.render.notation import duration
from lipcert.render.style import visible

if TYPE_CHECKING:
    from rich.live import Live

_MOST_NAMES = 4
_EVERY = 30.0


@final
class LiveWatch(AbstractWatch):
    """One line that changes, for someone who watches; a line a model, for a log."""

    def __init__(self, total: int, *, quiet: bool, color: str, fail_fast: bool) -> None:
        self._total, self._fail_fast, self._quiet = total, fail_fast, quiet
        self._done = self._failed = 0
        self._running: dict[str, tuple[str, float]] = {}
        self._started = self._spoke = time.monotonic()
        self._live: Live | None = None
        if not quiet and streams.is_terminal(sys.stderr) and streams.wants_color(sys.stderr, color):
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True, highlight=False), transient=True, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, task: Task) -> None:
        """Take note of a model that runs."""
        self._running[task.key] = (task.name, time.monotonic())
        self._show()

    def ended(self, task: Task, status: Status) -> bool:
        """Take note of a result; ask for an end after a failure where that was wished."""
        name, since = self._running.pop(task.key, (task.name, time.monotonic()))
        self._done += 1
        self._failed += status != "analyzed"
        if self._live is not None:
            self._show()
        elif not self._quiet:
            took = duration(time.monotonic() - since)
            streams.say(f"[{self._done}/{self._total}] {visible(name)}: {status} in {took}{self._left()}")
            self._spoke = time.monotonic()
        return not (self._fail_fast and status != "analyzed")

    def tick(self) -> None:
        """Keep the clock going."""
        now = time.monotonic()
        if self._live is not None and now - self._spoke >= 0.5:
            self._spoke = now
            self._show()
        elif self._live is None and not self._quiet and now - self._spoke >= _EVERY:
            self._spoke = now
            streams.say(self._line())

    def _show(self) -> None:
        if self._live is not None:
            from rich.text import Text

            self._live.update(Text(self._line(), no_wrap=True, overflow="ellipsis"), refresh=True)

    def _line(self) -> str:
        names = [name for name, _ in self._running.values()]
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        now = ", ".join(map(visible, names[:_MOST_NAMES]))
        failed = f", {self._failed} inconclusive" if self._failed else ""
        return f"{self._done} of {self._total} done{failed}{self._left()} · now: {now}{more}"

    def _left(self) -> str:
        if not 0 < self._done < self._total:
            return ""
        each = (time.monotonic() - self._started) / self._done
        return f", about {duration(each * (self._total - self._done))} left"
