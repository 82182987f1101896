"""Samples given from Python as tensors or arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch

from lipcert.errors import DataError
from lipcert.load.labels import check_labels
from lipcert.load.preprocess import Preprocess
from lipcert.load.values import range_of, scale_of, to_data_units
from lipcert.samples import Samples


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RawImages:
    """Stored values, shape (N, ...), with labels (N,) or None; tensors, arrays or nested lists."""

    images: Any
    labels: Any

    def samples(self, preprocess: Preprocess) -> Samples:
        """The samples in data units, in their stored shape. Raises DataError."""
        raw = _array(self.images)
        if raw.ndim < 2 or not len(raw):
            raise DataError(f"expected images of shape (N, ...) with N of 1 or more, got shape {raw.shape}")
        scale = scale_of(raw, preprocess.scale)
        valid = range_of(raw, scale, preprocess.input_range)
        values = to_data_units(raw, scale=scale, input_range=valid, path="images")
        labels = None
        if self.labels is not None:
            labels = check_labels(_array(self.labels), count=len(values), classes=None, path="labels")
        return Samples(inputs=torch.from_numpy(values), labels=labels, scale=scale, input_range=valid)


def _array(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)
