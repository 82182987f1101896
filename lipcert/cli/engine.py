"""The one door to torch: everything before it runs without."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lipcert.pipeline import AnalyzeRequest, CertifyRequest
    from lipcert.progress import Progress
    from lipcert.records import InspectRecord, Report
    from lipcert.records.certify import CertifyReport


def analyze_file(
    request: AnalyzeRequest, progress: Progress, keep: Callable[[Report], None], *, threads: int | None = None
) -> Report:
    """The report on one file, computed with `threads` CPU threads; `keep` is told what there is of it so far."""
    import torch

    from lipcert import pipeline

    if threads is not None:
        torch.set_num_threads(threads)
    report: Report = pipeline.analyze_file(request, progress, keep)
    return report


def inspect_file(path: Path, input_shape: tuple[int, ...] | None, output_name: str | None) -> InspectRecord:
    """What a file is and how far it can be analysed."""
    from lipcert import pipeline

    record: InspectRecord = pipeline.inspect_file(path, input_shape=input_shape, output_name=output_name)
    return record


def certify_file(request: CertifyRequest, progress: Progress, *, threads: int | None = None) -> CertifyReport:
    """The verdict on one property, computed with `threads` CPU threads."""
    import torch

    from lipcert import pipeline

    if threads is not None:
        torch.set_num_threads(threads)
    report: CertifyReport = pipeline.certify_file(request, progress)
    return report
