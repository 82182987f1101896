"""One subject on its way through the analyses."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, final

from lipcert.graph import Graph
from lipcert.pipeline.subject import Subject
from lipcert.progress import Progress
from lipcert.records import AnalyzeSettings

T = TypeVar("T")


@final
@dataclass(eq=False, kw_only=True)
class Run:
    """One subject on its way through the analyses asked for. `timing` fills with the seconds of each step."""

    subject: Subject
    settings: AnalyzeSettings
    graph: Graph
    progress: Progress
    timing: dict[str, float] = field(default_factory=dict)

    def asked(self, *names: str) -> bool:
        """Whether any of these analyses is to be reported."""
        return any(name in self.settings.analyses for name in names)

    def timed(self, name: str, step: Callable[[], T]) -> T:
        """The result of a step; its duration goes into `timing`."""
        start = time.perf_counter()
        result = step()
        self.timing[name] = round(time.perf_counter() - start, 3)
        return result
