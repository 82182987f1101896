"""The one door to the models: what opens one runs in a supervised child, and nothing here imports torch.

Without isolation the same functions run in this process, for those who want to look at them with a debugger.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from lipcert.progress import silent
from lipcert.supervise import Call, Limits, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lipcert.export.request import CapRequest
    from lipcert.pipeline import AnalyzeRequest, CertifyRequest
    from lipcert.progress import Progress
    from lipcert.records import InspectRecord, Report
    from lipcert.records.cap import CapReport
    from lipcert.records.certify import CertifyReport

VARIABLE = "LIPCERT_NO_ISOLATION"
_TRUE = {"1", "true", "yes", "on", "t", "y"}
_PLAIN = Limits()
T = TypeVar("T")


def analyze_file(
    request: AnalyzeRequest,
    progress: Progress,
    keep: Callable[[Report], None],
    *,
    limits: Limits = _PLAIN,
    isolated: bool = True,
) -> Report:
    """The report on one file; `keep` is told what there is of it where the run is cut short."""
    from lipcert.records import Report

    call = Call(function="lipcert.pipeline.files:analyze_file", arguments=(request,), observed=True, kept=True)
    return do(call, Report, progress=progress, keep=keep, limits=limits, isolated=isolated)


def inspect_file(
    path: Path,
    input_shape: tuple[int, ...] | None,
    output_name: str | None,
    *,
    limits: Limits = _PLAIN,
    isolated: bool = True,
) -> InspectRecord:
    """What a file is and how far it can be analysed."""
    from lipcert.records import InspectRecord

    call = Call(
        function="lipcert.pipeline.inspection:inspect_file",
        arguments=(path,),
        keywords={"input_shape": input_shape, "output_name": output_name},
    )
    return do(call, InspectRecord, limits=limits, isolated=isolated)


def certify_file(
    request: CertifyRequest, progress: Progress, *, limits: Limits = _PLAIN, isolated: bool = True
) -> CertifyReport:
    """The verdict on one property."""
    from lipcert.records.certify import CertifyReport

    call = Call(function="lipcert.pipeline.certify:certify_file", arguments=(request,), observed=True)
    return do(call, CertifyReport, progress=progress, limits=limits, isolated=isolated)


def cap_file(request: CapRequest, progress: Progress, *, limits: Limits = _PLAIN, isolated: bool = True) -> CapReport:
    """What capping did to one model; the copy is written by then."""
    from lipcert.records.cap import CapReport

    call = Call(function="lipcert.export.files:cap_file", arguments=(request,), observed=True)
    return do(call, CapReport, progress=progress, limits=limits, isolated=isolated)


def do(
    call: Call,
    kind: type[T],
    *,
    progress: Progress = silent,
    keep: Callable[[T], None] | None = None,
    limits: Limits = _PLAIN,
    isolated: bool = True,
) -> T:
    """The record of class `kind` that the call returns, from a child or, without isolation, from this process.

    keep  told the record so far where the call is cut short, and without isolation also before
    """
    if not isolated or os.environ.get(VARIABLE, "").lower() in _TRUE:
        return _here(call, progress, keep, limits)  # type: ignore[no-any-return]
    from lipcert.records.codec import read

    def kept(text: str) -> None:
        if keep is not None:
            keep(read(text, kind))

    return read(run(call, limits, progress=progress, keep=kept), kind)


def _here(call: Call, progress: Progress, keep: Callable[[Any], None] | None, limits: Limits) -> Any:
    import torch

    if limits.threads is not None:
        torch.set_num_threads(limits.threads)
    module, _, name = call.function.partition(":")
    keywords = dict(call.keywords)
    if call.observed:
        keywords["progress"] = progress
    if call.kept and keep is not None:
        keywords["keep"] = keep
    return getattr(import_module(module), name)(*call.arguments, **keywords)
