"""One run around one model: its circumstances, and the document they end in."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias, final

import torch

from lipcert.errors import UsageError
from lipcert.pipeline.adversarials import write_adversarials
from lipcert.pipeline.context import Run
from lipcert.pipeline.identity import describe
from lipcert.pipeline.per_sample import write_table
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.run import complete
from lipcert.pipeline.subject import Subject
from lipcert.progress import Progress
from lipcert.records import ModelRecord, Report, RunRecord, Summary
from lipcert.records.tool import tool_record

Keep: TypeAlias = Callable[[Report], None]


def forget(_: Report) -> None:
    """Keep nothing."""


def report_on(
    opener: Callable[[], Subject], request: AnalyzeRequest, progress: Progress, keep: Keep = forget
) -> Report:
    """Open a subject, run the analyses asked for, and wrap the record in a report.

    keep  told the report so far, marked as partial, each time an analysis is done
    """
    watch = _Watch(request, choose_device(request.settings.device))
    progress("load", 0, 1)
    subject = opener()
    progress("load", 1, 1)
    run = Run(
        subject=subject,
        settings=request.settings,
        graph=subject.graph.to(device=watch.device),
        record=describe(subject, batch_size=request.settings.batch_size),
        progress=progress,
        keep=lambda record: keep(watch.partial(record)),
        timing={"load": watch.seconds},
    )
    try:
        complete(run)
    except Exception:
        raise
    except BaseException:
        # Whoever stops a run has the columns that were done by then.
        _write_rows(run, request.per_sample)
        raise
    _write_rows(run, request.per_sample)
    if request.adversarials is not None and run.attacks is not None and subject.samples is not None:
        write_adversarials(run.attacks, subject.samples, request.adversarials)
    return watch.whole(run.record)


def _write_rows(run: Run, path: Path | None) -> None:
    if path is not None:
        write_table(run, path)


@final
class _Watch:
    """When and where a run takes place, and the documents it can end in."""

    def __init__(self, request: AnalyzeRequest, device: torch.device) -> None:
        self.request, self.device = request, device
        self.started, self._clock = datetime.now(UTC), time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return round(time.perf_counter() - self._clock, 3)

    def whole(self, record: ModelRecord) -> Report:
        """The report of a run that went to its end."""
        summary = Summary(models=1, analyzed=1, inconclusive=0, gate="none", exit_code=0)
        return self._report(record, summary, None if self.request.settings.deterministic else self._run(partial=False))

    def partial(self, record: ModelRecord) -> Report:
        """The report of a run that ends here, before its time."""
        summary = Summary(models=1, analyzed=0, inconclusive=1, gate="inconclusive", exit_code=130)
        return self._report(replace(record, status="inconclusive"), summary, self._run(partial=True))

    def _report(self, record: ModelRecord, summary: Summary, run: RunRecord | None) -> Report:
        settings = self.request.settings
        return Report(tool=tool_record(), run=run, settings=settings, models=(record,), summary=summary)

    def _run(self, *, partial: bool) -> RunRecord:
        return RunRecord(
            argv=self.request.argv,
            device=str(self.device),
            threads=torch.get_num_threads(),
            started=self.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            duration_s=self.seconds,
            partial=partial,
            peak_rss_bytes=_peak_rss(),
        )


def _peak_rss() -> int:
    """Largest resident set of this process so far, in bytes; the system counts kilobytes on Linux, bytes on macOS."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def choose_device(name: str) -> torch.device:
    """The device asked for; "auto" takes a GPU where there is one. Raises UsageError where it is missing."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"device {name} was asked for; this machine has {torch.cuda.device_count()} CUDA devices",
            hint="Use --device cpu or --device auto.",
        )
    return device
