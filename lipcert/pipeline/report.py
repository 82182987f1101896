"""One run around one model: its circumstances, and the document they end in."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import torch

from lipcert.errors import UsageError
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.records import ModelRecord, Report, RunRecord, Summary
from lipcert.records.tool import tool_record


def report_on(model: Callable[[], ModelRecord], request: AnalyzeRequest) -> Report:
    """Run `model` and wrap its record in a report."""
    started, clock = datetime.now(UTC), time.perf_counter()
    record = model()
    run = RunRecord(
        argv=request.argv,
        device=request.settings.device,
        threads=torch.get_num_threads(),
        started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_s=round(time.perf_counter() - clock, 3),
        peak_rss_bytes=_peak_rss(),
    )
    analyzed = int(record.status == "analyzed")
    return Report(
        tool=tool_record(),
        run=None if request.settings.deterministic else run,
        settings=request.settings,
        models=(record,),
        summary=Summary(
            models=1,
            analyzed=analyzed,
            inconclusive=1 - analyzed,
            gate="none",
            exit_code=0 if analyzed else 3,
        ),
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
