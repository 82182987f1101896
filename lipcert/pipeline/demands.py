"""What a request asks of its data, checked before any work is done."""

from __future__ import annotations

from lipcert.errors import DataError, UsageError
from lipcert.pipeline.per_sample_format import check_table
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.samples import Samples

NEED_SAMPLES = ("jacobian",)
NEED_LABELS = ("margins", "robustness", "certificates", "generalization")


def check_demands(request: AnalyzeRequest, samples: Samples | None, training: Samples | None = None) -> None:
    """Refuse what these samples, or their absence, make impossible.

    Raises:
        DataError: an analysis that was asked for by name needs samples or labels, and there are none; or a table of
            samples, or training samples, without samples.
        UsageError: a linf radius is wider than the input range.
    """
    _check_required(request.required, samples)
    if request.per_sample is not None and samples is None:
        raise DataError("--per-sample needs samples, and no data was given", hint="give them with --data FILE")
    if request.per_sample is not None:
        check_table(request.per_sample)
    if not (request.train_data is None and training is None) and samples is None:
        raise DataError(
            "--train-data alone has nothing to be compared with", hint="give the test samples with --data FILE"
        )
    if request.adversarials is not None and "robustness" not in request.settings.analyses:
        raise UsageError(
            "--save-adversarials needs the attacks, and robustness was left out", hint="add robustness to --only"
        )
    if request.adversarials is not None and (samples is None or samples.labels is None):
        raise DataError(
            "--save-adversarials needs labelled samples", hint="give them with --data FILE, and --labels FILE if apart"
        )
    limits = request.input_range if samples is None else samples.input_range
    if limits is not None:
        _check_radii((request.settings.eps or {}).get("linf", ()), limits)


def _check_required(required: tuple[str, ...], samples: Samples | None) -> None:
    if samples is None:
        missing: tuple[str, ...] = (*NEED_SAMPLES, *NEED_LABELS)
        what, hint = "samples, and no data was given", "give them with --data FILE"
    elif samples.labels is None:
        where = f" in {samples.path}" if samples.path else ""
        missing, what = NEED_LABELS, f"labels, and the samples{where} have none"
        hint = "give them with --labels FILE, or as 'labels' in the data file"
    else:
        return
    names = [name for name in required if name in missing]
    if names:
        verb = "needs" if len(names) == 1 else "need"
        raise DataError(f"{', '.join(names)} {verb} {what}", hint=f"{hint}; or leave {', '.join(names)} out of --only")


def _check_radii(radii: tuple[float, ...], limits: tuple[float, float]) -> None:
    low, high = limits
    wide = max(radii, default=0.0)
    if wide > high - low:
        pixels = f"; did you mean {wide:g}/255?" if (low, high) == (0, 1) and 1 < wide < 256 else ""
        raise UsageError(
            f"the linf radius {wide:g} is wider than the input range [{low:g}, {high:g}]",
            hint=f"eps is in data units after scaling: 8/255 for images in [0, 1]{pixels}",
        )
