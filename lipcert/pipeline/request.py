"""What a caller asks of `analyze`, before any file is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, final

from lipcert.records import AnalyzeSettings


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeRequest:
    """One model file, its data, how a stored value becomes what the model sees, and the settings.

    None means "not said": the model's sidecar decides, then the default.

    scale        raw / scale are data units
    mean, std    one value, or one a channel, in data units
    layout       the layout the model reads
    input_range  (low, high) of valid values in data units; perturbed inputs are clipped to it
    input_shape  of one sample, where neither file nor data tells
    output_name  which output of several holds the class scores
    allow_code   whether `module:function` data may run the user's code
    required     analyses asked for by name: without the data they need the request is refused
    train_data   the training samples, read as `data` is, for the gaps between training and test
    init_model   the network before training, a file: the prior of the PAC-Bayes bound on random weights
    per_sample   where a table with one row a sample goes: .jsonl, .npz or .parquet
    adversarials where the worst inputs found go: .npz, and a .png sheet for images
    """

    model: Path
    data: str | None = None
    labels: str | None = None
    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    layout: Literal["nchw", "nhwc"] | None = None
    input_range: tuple[float, float] | None = None
    input_shape: tuple[int, ...] | None = None
    output_name: str | None = None
    allow_code: bool = False
    required: tuple[str, ...] = ()
    train_data: str | None = None
    init_model: Path | None = None
    per_sample: Path | None = None
    adversarials: Path | None = None
    argv: tuple[str, ...] = ()
    settings: AnalyzeSettings = field(default_factory=AnalyzeSettings)
