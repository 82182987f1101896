"""Samples brought to the shape a model reads, only where that can be done in one way."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from lipcert.errors import DataError
from lipcert.samples import Samples

Layout = Literal["nchw", "nhwc"]
Shape = tuple[int | None, ...]

_TO_LAST, _TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_CHANNELS = frozenset({1, 3, 4})


def fit(samples: Samples, input_shape: Shape, layout: Layout | None = None) -> Samples:
    """Samples in the shape the model reads, with `layout` saying in words what was done.

    input_shape  shape of one sample, None where the model leaves an axis free
    layout       where the model has its channels; needed only when they must move

    Equal shapes stay as stored. Axes of length 1 come and go. A flat input takes an image in stored order, or in
    the order of `layout` where it is told; a flat sample becomes a one-channel image, row by row. Raises DataError
    when none of these fits, with the option that would make one fit.
    """
    stored = tuple(samples.inputs.shape[1:])
    moved, words = _move_channels(samples.inputs, input_shape, layout)
    if _matches(stored, input_shape) and (moved is None or None not in input_shape):
        return samples
    for candidate, prefix in ((moved, words), (samples.inputs, "")):
        if candidate is None:
            continue
        reshaped, done = _reshape(candidate, input_shape)
        if reshaped is not None:
            return replace(samples, inputs=reshaped.contiguous(), layout=", ".join(filter(None, (prefix, done))))
    raise _misfit(samples, input_shape, stored)


def _matches(shape: tuple[int, ...], wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(w in (None, s) for s, w in zip(shape, wanted, strict=True))


def _move_channels(inputs: Tensor, wanted: Shape, layout: Layout | None) -> tuple[Tensor | None, str]:
    """Inputs with their channels where `layout` has them; None where there is nothing to move."""
    if layout is None or inputs.ndim != 4:
        return None, ""
    first, last = int(inputs.shape[1]), int(inputs.shape[3])
    # A shape of one free or long axis fits any order, so there only the lengths can tell where the channels are.
    tells = None not in wanted and sum(length != 1 for length in wanted) > 1
    if layout == "nhwc" and (tells or _channels_on(first, last)):
        return inputs.permute(_TO_LAST), "nchw -> nhwc"
    if layout == "nchw" and (tells or _channels_on(last, first)):
        return inputs.permute(_TO_FIRST), "nhwc -> nchw"
    return None, ""


def _channels_on(axis: int, other: int) -> bool:
    """Whether an axis of this length holds channels and the other does not, by their lengths."""
    return axis in _CHANNELS and other not in _CHANNELS


def _reshape(inputs: Tensor, wanted: Shape) -> tuple[Tensor | None, str]:
    """Inputs in the wanted shape and what was done; None where more than one reading is possible."""
    shape = tuple(inputs.shape[1:])
    if _matches(shape, wanted):
        return inputs, ""
    core = tuple(length for length in shape if length != 1)
    slots = tuple(length for length in wanted if length != 1)
    entries = math.prod(shape)
    if _matches(core, slots):
        return inputs.reshape(len(inputs), *_filled(wanted, core)), f"axes of length 1: {_x(shape)} -> {_x(wanted)}"
    if len(slots) == 1 and slots[0] in (None, entries):
        return inputs.reshape(len(inputs), *_filled(wanted, (entries,))), f"flattened row by row from {_x(shape)}"
    if len(core) == 1 and len(slots) == 2 and None not in slots and math.prod(s or 0 for s in slots) == entries:
        return inputs.reshape(len(inputs), *_filled(wanted, slots)), f"rows of {slots[1]} from {_x(shape)}"
    return None, ""


def _filled(wanted: Shape, core: Shape) -> tuple[int, ...]:
    """The wanted shape with its axes other than 1 taken from `core` in order."""
    lengths = iter(core)
    return tuple(1 if length == 1 else int(next(lengths) or 0) for length in wanted)


def _misfit(samples: Samples, wanted: Shape, stored: tuple[int, ...]) -> DataError:
    hint = "give the data this model was made for, or --input-shape where the file does not tell it"
    for layout, order in (("nhwc", _TO_LAST), ("nchw", _TO_FIRST)):
        moved = torch.empty((1, *stored), device="meta").permute(order).shape[1:] if len(stored) == 3 else ()
        if _matches(tuple(moved), wanted):
            hint = f"--layout {layout}"
    if len(stored) == 1 and len(wanted) == 3 and math.prod(length or 0 for length in wanted) == stored[0]:
        hint = "store the samples as images: in which order the channels were flattened is unknown"
    return DataError(
        f"expected samples of shape {_x(wanted)}, as the model reads them; those in {samples.path or 'the data'} "
        f"have shape {_x(stored)}",
        hint=hint,
    )


def _x(shape: Shape) -> str:
    return "x".join("?" if length is None else str(length) for length in shape)
