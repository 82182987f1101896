"""A report that holds nothing but failures: what stdout carries with -f json when there is no result."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from lipcert.cli.failures import INTERNAL, Failure
from lipcert.records import AnalyzeSettings, ErrorRecord, Report, RunRecord, Summary
from lipcert.records.tool import tool_record


def error_record(failure: Failure) -> ErrorRecord:
    """The failure as data."""
    return ErrorRecord(
        model=failure.model,
        code=failure.code,
        phase=failure.phase,
        message=failure.message,
        hint=failure.hint,
        operators=failure.operators,
    )


def error_report(failure: Failure, argv: Sequence[str]) -> Report:
    """A report without models, with one error."""
    inconclusive = int(bool(failure.model) and failure.exit_code == INTERNAL)
    return Report(
        tool=tool_record(),
        run=RunRecord(
            argv=tuple(argv),
            device="none",
            threads=os.cpu_count() or 1,
            started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            duration_s=0.0,
            partial=True,
        ),
        settings=AnalyzeSettings(),
        models=(),
        summary=Summary(
            models=inconclusive, analyzed=0, inconclusive=inconclusive, gate="none", exit_code=failure.exit_code
        ),
        errors=(error_record(failure),),
    )
