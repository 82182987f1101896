"""The Python interface: `lipcert.analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, final

from lipcert.errors import UsageError
from lipcert.pipeline.images import RawImages
from lipcert.pipeline.report import report_on
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.subject import open_file, open_object
from lipcert.progress import Progress, silent
from lipcert.records import AnalyzeSettings, Report


@final
class Reading(TypedDict, total=False):
    """How the values become what the model sees, and what the model does not tell; see `AnalyzeRequest`."""

    scale: float | None
    layout: Literal["nchw", "nhwc"] | None
    input_range: tuple[float, float] | None
    input_shape: tuple[int, ...] | None
    output_name: str | None


def analyze(
    model: object,
    images: Any = None,
    labels: Any = None,
    *,
    settings: AnalyzeSettings | None = None,
    mean: float | tuple[float, ...] | None = None,
    std: float | tuple[float, ...] | None = None,
    progress: Progress = silent,
    **options: Unpack[Reading],
) -> Report:
    """The records that the command line prints, for a model and samples in memory or in files.

    model   a path, an nn.Module in eval mode, a ScriptModule or an ExportedProgram
    images  samples (N, ...) as a tensor or array, or the path of a data file
    labels  class numbers (N,), or the path of a file of them
    The rest is as in `AnalyzeRequest` and `AnalyzeSettings`. Raises UsageError, DataError or ModelError.
    """
    request = AnalyzeRequest(
        model=Path(model) if isinstance(model, str | Path) else Path(),
        data=str(images) if isinstance(images, str | Path) else None,
        labels=str(labels) if isinstance(labels, str | Path) else None,
        mean=_values(mean),
        std=_values(std),
        settings=settings or AnalyzeSettings(),
        **options,
    )
    if request.data and not (labels is None or request.labels):
        raise UsageError(
            "images were given as a file and labels as an array", hint="Give both as files, or both as arrays."
        )
    given = None if images is None or request.data else RawImages(images=images, labels=labels)
    if isinstance(model, str | Path):
        return report_on(lambda: open_file(request, given), request, progress)
    return report_on(lambda: open_object(model, request, given), request, progress)


def _values(given: float | tuple[float, ...] | None) -> tuple[float, ...] | None:
    return (float(given),) if isinstance(given, int | float) else given
