"""One subject on its way through the analyses."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, final

from lipcert.analyses.robustness import Robustness
from lipcert.graph import Graph
from lipcert.pipeline.subject import Subject
from lipcert.progress import Progress
from lipcert.records import ANALYSES, AnalyzeSettings, ModelRecord, Skipped

T = TypeVar("T")
PENDING = Skipped(reason="the run was interrupted before this analysis was done")


@final
@dataclass(eq=False, kw_only=True)
class Run:
    """One subject on its way through the analyses asked for.

    record  what is known so far; an analysis still to come stands as Skipped
    keep    told each time the record grows, so that an interrupted run loses nothing
    timing  seconds of each step done
    rows    what is known of each sample, column by column, for the table with one row a sample
    attacks what the attacks found, once they are done
    """

    subject: Subject
    settings: AnalyzeSettings
    graph: Graph
    record: ModelRecord
    progress: Progress
    keep: Callable[[ModelRecord], None]
    timing: dict[str, float] = field(default_factory=dict)
    rows: dict[str, Sequence[Any]] = field(default_factory=dict)
    attacks: Robustness | None = None

    def start(self) -> None:
        """Put every analysis asked for on the record as still to come."""
        self.found(**{name: PENDING for name in ANALYSES if self.asked(name)})

    def asked(self, *names: str) -> bool:
        """Whether any of these analyses is to be reported."""
        return any(name in self.settings.analyses for name in names)

    def found(self, **fields: Any) -> None:
        """Put results on the record."""
        timing = None if self.settings.deterministic else dict(self.timing)
        self.record = replace(self.record, **fields, timing=timing)
        self.keep(self.record)

    def each(self, **columns: Sequence[Any]) -> None:
        """Keep columns of the table with one row a sample: plain numbers, strings or dicts, in the samples' order."""
        self.rows.update(columns)

    def timed(self, name: str, step: Callable[[], T]) -> T:
        """The result of a step; its duration is added to `timing`."""
        start = time.perf_counter()
        result = step()
        self.timing[name] = round(self.timing.get(name, 0.0) + time.perf_counter() - start, 3)
        return result
