"""The Python interface: `lipcert.analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from lipcert.pipeline.images import RawImages
from lipcert.pipeline.report import report_on
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.subject import open_file, open_object
from lipcert.progress import Progress, silent
from lipcert.records import AnalyzeSettings, Report


def analyze(
    model: object,
    images: Any = None,
    labels: Any = None,
    *,
    settings: AnalyzeSettings | None = None,
    scale: float | None = None,
    mean: float | tuple[float, ...] | None = None,
    std: float | tuple[float, ...] | None = None,
    layout: Literal["nchw", "nhwc"] | None = None,
    input_range: tuple[float, float] | None = None,
    input_shape: tuple[int, ...] | None = None,
    output_name: str | None = None,
    progress: Progress = silent,
) -> Report:
    """Analyse a classifier and return the records that the command line prints.

    Args:
        model: a path, an nn.Module in eval mode, a ScriptModule or an ExportedProgram.
        images: samples (N, ...) as a tensor or array, or the path of a data file, which then holds the labels too.
        labels: class numbers (N,), or the path of a file of them.
        settings: what to analyse and how; the defaults of `AnalyzeSettings` when None.
        scale: images / scale are data units; 255 for uint8 when None.
        mean: per channel or one, in data units; the model reads (value - mean) / std.
        std: likewise.
        layout: the layout the model reads.
        input_range: (low, high) of valid values; perturbed inputs are clipped to it.
        input_shape: of one sample, where neither model nor images tell.
        output_name: which output of several holds the class scores.
        progress: told how far each analysis is.

    Raises:
        UsageError: settings or data that do not fit.
        ModelError: a model that is refused, unsupported or unfaithful.
    """
    request = AnalyzeRequest(
        model=Path(model) if isinstance(model, str | Path) else Path(),
        data=str(images) if isinstance(images, str | Path) else None,
        labels=str(labels) if isinstance(labels, str | Path) else None,
        scale=scale,
        mean=_values(mean),
        std=_values(std),
        layout=layout,
        input_range=input_range,
        input_shape=input_shape,
        output_name=output_name,
        settings=settings or AnalyzeSettings(),
    )
    given = None if images is None or request.data else RawImages(images=images, labels=labels)
    if isinstance(model, str | Path):
        return report_on(lambda: open_file(request, given), request, progress)
    return report_on(lambda: open_object(model, request, given), request, progress)


def _values(given: float | tuple[float, ...] | None) -> tuple[float, ...] | None:
    return (float(given),) if isinstance(given, int | float) else given
