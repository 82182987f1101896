"""Progress bars on stderr, for whoever watches a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self, final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@final
class Bars:
    """One bar for the nets of a run and one for each net that is being made; silent where stderr is no terminal."""

    def __init__(self, nets: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        self._bars = Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())
        self._nets = self._bars.add_task("nets", total=nets)
        self._tasks: dict[str, TaskID] = {}

    def show(self, made: int, steps: Mapping[str, tuple[int, int]]) -> None:
        """So many nets are made; `steps` says how many of how many steps those under way have taken, by name."""
        self._bars.update(self._nets, completed=made)
        for name in self._tasks.keys() - steps.keys():
            self._bars.remove_task(self._tasks.pop(name))
        for name, (done, total) in steps.items():
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name)
            self._bars.update(self._tasks[name], completed=done, total=total)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._bars.stop()
