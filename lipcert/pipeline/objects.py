"""The Python interface: `lipcert.analyze`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, final, get_args

from lipcert.errors import UsageError
from lipcert.pipeline.images import RawImages
from lipcert.pipeline.report import report_on
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.subject import InMemory, Subject, open_file, open_object
from lipcert.progress import Progress, silent
from lipcert.records import AnalyzeSettings, Report, Split

Pair: TypeAlias = tuple[Any, Any]


@final
class Reading(TypedDict, total=False):
    """How the values become what the model sees, and what the model does not tell; see `AnalyzeRequest`."""

    scale: float | None
    mean: float | tuple[float, ...] | None
    std: float | tuple[float, ...] | None
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
    train_data: str | Path | Pair | None = None,
    init_model: object | None = None,
    split: Split | None = None,
    per_sample: str | Path | None = None,
    save_adversarials: str | Path | None = None,
    progress: Progress = silent,
    **options: Unpack[Reading],
) -> Report:
    """The records that the command line prints, for a model and samples in memory or in files.

    model              a path, an nn.Module in eval mode, a ScriptModule or an ExportedProgram
    images, labels     samples (N, ...) and class numbers (N,), as tensors or arrays, or the paths of files of them
    train_data         the training samples, to compare with: the path of a data file, or a pair of images and labels
    init_model         the network before training, a path or a module: the prior's mean of PAC-Bayes bounds
    split              what the samples were to the model: "test", "train" or "unknown", in place of the settings' word
    per_sample         where a table with one row a sample is written: .jsonl, .npz or .parquet
    save_adversarials  where the worst inputs found are written: .npz, and a .png sheet beside it for images
    The rest is as in `AnalyzeRequest`. Raises UsageError, DataError or ModelError.
    """
    request = AnalyzeRequest(
        model=_path(model) or Path(),
        data=_text(images),
        labels=_text(labels),
        train_data=_text(train_data),
        init_model=_path(init_model),
        per_sample=_path(per_sample),
        adversarials=_path(save_adversarials),
        settings=_settings(settings or AnalyzeSettings(), split),
        **_reading(options),
    )
    given = InMemory(_given(request, images, labels), _training(train_data), _module(init_model))
    return report_on(lambda: _opened(model, request, given), request, progress)


def _opened(model: object, request: AnalyzeRequest, given: InMemory) -> Subject:
    return open_file(request, given) if isinstance(model, str | Path) else open_object(model, request, given)


def _reading(options: Reading) -> dict[str, Any]:
    """The options as a request takes them: means and deviations as tuples."""
    moments = {"mean": _values(options.get("mean")), "std": _values(options.get("std"))}
    return {**options, **moments}


def _text(given: object) -> str | None:
    return str(given) if isinstance(given, str | Path) else None


def _module(given: object | None) -> object | None:
    return None if isinstance(given, str | Path) else given


def _path(given: object) -> Path | None:
    return Path(given) if isinstance(given, str | Path) else None


def _settings(settings: AnalyzeSettings, split: Split | None) -> AnalyzeSettings:
    """The settings with what was said of the samples. Raises UsageError for another word."""
    if split is None:
        return settings
    if split not in get_args(Split):
        raise UsageError(f"split must be {', '.join(get_args(Split))}, got {split!r}", hint='split="test"')
    return replace(settings, split=split)


def _given(request: AnalyzeRequest, images: Any, labels: Any) -> RawImages | None:
    """Samples in memory. Raises UsageError where half of them is in a file."""
    if request.data and not (labels is None or request.labels):
        raise UsageError(
            "images were given as a file and labels as an array", hint="Give both as files, or both as arrays."
        )
    return None if images is None or request.data else RawImages(images=images, labels=labels)


def _training(given: str | Path | Pair | None) -> RawImages | None:
    """Training samples in memory. Raises UsageError for what is neither a path nor a pair."""
    if given is None or isinstance(given, str | Path):
        return None
    if not isinstance(given, tuple) or len(given) != 2:
        raise UsageError(
            f"train_data must be a path or a pair of images and labels, got {type(given).__name__}",
            hint="train_data=(images, labels); labels may be None",
        )
    return RawImages(images=given[0], labels=given[1])


def _values(given: float | tuple[float, ...] | None) -> tuple[float, ...] | None:
    return (float(given),) if isinstance(given, int | float) else given
