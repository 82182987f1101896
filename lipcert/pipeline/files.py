"""A model file analysed from end to end."""

from __future__ import annotations

from lipcert.pipeline.report import Keep, forget, report_on
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.subject import open_file
from lipcert.progress import Progress, silent
from lipcert.records import Report


def analyze_file(request: AnalyzeRequest, progress: Progress = silent, keep: Keep = forget) -> Report:
    """The report on one model file.

    keep  told the report so far, marked as partial, each time an analysis is done

    Raises:
        UsageError: settings, a sidecar or data that do not fit.
        ModelError: a model that is unreadable, refused, unsupported or unfaithful.
        EnclosureError: a lower end above an upper end, which is a bug.
    """
    return report_on(lambda: open_file(request), request, progress, keep)
