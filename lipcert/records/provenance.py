"""What was run, on what, and how faithfully the file was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.generalization import Split
from lipcert.records.skipped import Skipped


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRecord:
    """Versions of lipcert and of the runtimes that computed the numbers."""

    name: Literal["lipcert"] = "lipcert"
    version: str
    torch: str
    onnx: str
    onnxruntime: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The circumstances of one run. Left out of a deterministic report."""

    argv: tuple[str, ...]
    device: str
    threads: int
    started: str
    duration_s: float
    partial: bool = False
    peak_rss_bytes: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRecord:
    """What a model reads and gives. `head` names the output layer that was removed to reach the logits."""

    input_shape: tuple[int, ...]
    classes: int
    head: Literal["logits", "softmax", "log_softmax", "sigmoid", "single_logit"]
    parameters: int
    nodes: int
    description: str
    notes: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityRecord:
    """The captured graph against the original runtime, and what the graph was probed for.

    max_abs_diff       largest |graph - reference| over `samples` inputs, before a softmax head
    max_rel_diff       max_abs_diff over the range of the reference's outputs
    agreement          share of those inputs on which both predict the same class
    row_independence   largest relative |f(x)[i] - f(x[i:i+1])|
    float64_diff       largest relative |float32 graph - float64 graph|
    deterministic      two forwards agree to the bit
    gradient           "present", or "zero" where the input gradient vanishes identically
    """

    reference: str
    status: Literal["faithful", "note", "quantised", "unverified"]
    max_abs_diff: float | Skipped
    max_rel_diff: float | Skipped
    agreement: float | Skipped
    samples: int
    row_independence: float
    float64_diff: float
    deterministic: bool
    gradient: Literal["present", "zero"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessRecord:
    """How a stored value becomes what the model sees: value = raw / scale, model input = (value - mean) / std."""

    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: str
    input_range: tuple[float, float] | None
    source: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DataRecord:
    """The samples an analysis saw. `available` counts those in the file, `samples` those used.

    split  what they were to the model, as the user says
    """

    path: str
    sha256: str
    samples: int
    available: int
    labelled: bool
    split: Split = "unknown"
