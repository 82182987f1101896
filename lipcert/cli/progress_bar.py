"""Progress on stderr: a bar with an ETA for someone who watches, a line now and then for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from lipcert.cli import streams
from lipcert.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

EVERY_SECONDS = 30.0


@final
class LineProgress:
    """One line when an analysis ends, and one every 30 s while it runs."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._spoke = time.monotonic()

    def __call__(self, analysis: str, done: int, total: int) -> None:
        """Take note, and speak when it is time."""
        from lipcert.render.notation import duration

        now = time.monotonic()
        started = self._started.setdefault(analysis, now)
        if total and done >= total:
            del self._started[analysis]
            self._speak(f"{analysis}: done in {duration(now - started)}")
        elif done and now - self._spoke >= EVERY_SECONDS:
            left = (now - started) / done * (total - done)
            self._speak(f"{analysis}: {done} of {total}, about {duration(left)} left")

    def _speak(self, line: str) -> None:
        self._spoke = time.monotonic()
        streams.say(line)


@final
class BarProgress:
    """One bar an analysis, gone when the result is there."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, analysis: str, done: int, total: int) -> None:
        """Move the bar of `analysis`, which is made when first heard of."""
        if analysis not in self._tasks:
            self._tasks[analysis] = self._bars.add_task(analysis, total=total or None)
        self._bars.update(self._tasks[analysis], completed=done, total=total or None)


@contextmanager
def watch(*, quiet: bool, color: str = "auto") -> Iterator[Progress]:
    """The observer that suits stderr."""
    if quiet or sys.stderr is None:
        yield silent
    elif streams.is_terminal(sys.stderr) and streams.wants_color(sys.stderr, color):
        with _bars() as bars:
            yield BarProgress(bars)
    else:
        yield LineProgress()


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )
