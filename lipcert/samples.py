"""Labelled inputs in data units, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from torch import Tensor


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Inputs of a classifier with their labels.

    inputs       (N, *input_shape), float32, in data units: raw / scale, already in the model's layout
    labels       (N,), int64, or None when the data has none
    path         the file or folder read, "" for tensors given from Python
    sha256       digest of the file, "" where there is none
    scale        what the raw values were divided by
    layout       how the stored axes became the model's, in words: "as stored", "nchw -> nhwc", "flattened", ...
    input_range  (low, high) of valid values; None when unknown, and then no perturbation is clipped
    """

    inputs: Tensor
    labels: Tensor | None
    path: str = ""
    sha256: str = ""
    scale: float = 1.0
    layout: str = "as stored"
    input_range: tuple[float, float] | None = None

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    def first(self, count: int) -> Samples:
        """The first `count` samples, or all of them when there are fewer."""
        labels = None if self.labels is None else self.labels[:count]
        return replace(self, inputs=self.inputs[:count], labels=labels)
