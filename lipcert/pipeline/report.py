"""One run around one model: its circumstances, and the document they end in."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import torch

from lipcert.errors import UsageError
from lipcert.pipeline.context import Run
from lipcert.pipeline.identity import describe
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.run import complete
from lipcert.pipeline.subject import Subject
from lipcert.progress import Progress
from lipcert.records import ModelRecord, Report, RunRecord, Summary
from lipcert.records.tool import tool_record


def report_on(opener: Callable[[], Subject], request: AnalyzeRequest, progress: Progress) -> Report:
    """Open a subject, run the analyses asked for, and wrap the record in a report."""
    started, clock = datetime.now(UTC), time.perf_counter()
    device = choose_device(request.settings.device)
    record = _record(opener, request, device, progress)
    run = RunRecord(
        argv=request.argv,
        device=str(device),
        threads=torch.get_num_threads(),
        started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_s=round(time.perf_counter() - clock, 3),
        peak_rss_bytes=_peak_rss(),
    )
    return Report(
        tool=tool_record(),
        run=None if request.settings.deterministic else run,
        settings=request.settings,
        models=(record,),
        summary=Summary(models=1, analyzed=1, inconclusive=0, gate="none", exit_code=0),
    )


def _record(
    opener: Callable[[], Subject], request: AnalyzeRequest, device: torch.device, progress: Progress
) -> ModelRecord:
    progress("load", 0, 1)
    clock = time.perf_counter()
    subject = opener()
    progress("load", 1, 1)
    run = Run(subject=subject, settings=request.settings, graph=subject.graph.to(device=device), progress=progress)
    run.timing["load"] = round(time.perf_counter() - clock, 3)
    return complete(run, describe(subject, batch_size=request.settings.batch_size))


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
