"""Labelled inputs in data units, and where they came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
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
    notes        what a reader must know about how the file was read ("label: column species", ...)
    """

    inputs: Tensor
    labels: Tensor | None
    path: str = ""
    sha256: str = ""
    scale: float = 1.0
    layout: str = "as stored"
    input_range: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    def first(self, count: int) -> Samples:
        """The first `count` samples, or all of them when there are fewer."""
        labels = None if self.labels is None else self.labels[:count]
        return replace(self, inputs=self.inputs[:count], labels=labels)


def per_channel(values: Sequence[float], shape: tuple[int, ...], layout: str | None = None) -> Tensor:
    """One value, or one a channel, as a float32 tensor that broadcasts over a sample of `shape`.

    `layout` ("nchw", "nhwc") says where the channels are; without it they are on whichever of the first and
    the last axis has as many entries as there are values. A flat sample takes one value an entry, or, with a
    layout, one a channel of the image it was made from. Raises ValueError when the count fits no axis, or both.
    """
    tensor, count = torch.tensor(tuple(values), dtype=torch.float32), len(values)
    if count == 1:
        return tensor.reshape((1,) * len(shape))
    if sum(length != 1 for length in shape) == 1:
        return _per_entry(tensor, shape, layout)
    axes = {"nchw": (0,), "nhwc": (-1,)}.get(layout or "", (0, -1))
    fitting = [axis for axis in axes if shape[axis] == count]
    if not fitting:
        expected = " or ".join(str(length) for length in sorted({1, *(shape[axis] for axis in axes)}))
        raise ValueError(f"expected {expected} values for an input of shape {shape}, got {count}")
    if len(fitting) > 1:
        raise ValueError(f"{count} values fit the first and the last axis of {shape}: name the layout")
    broadcast = [1] * len(shape)
    broadcast[fitting[0]] = count
    return tensor.reshape(broadcast)


def _per_entry(tensor: Tensor, shape: tuple[int, ...], layout: str | None) -> Tensor:
    """Values for a flat sample: one an entry, or one a channel spread in the order `layout` flattens to."""
    entries, count = math.prod(shape), len(tensor)
    if count == entries:
        return tensor.reshape(shape)
    if entries % count or layout not in {"nchw", "nhwc"}:
        raise ValueError(f"expected 1 or {entries} values for an input of shape {shape}, got {count}")
    pixels = entries // count
    return (tensor.repeat_interleave(pixels) if layout == "nchw" else tensor.repeat(pixels)).reshape(shape)
