"""Entries added around a tensor, and planes cut to a size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, axis_of, handler


@handler("Pad")
def pad(context: NodeContext, x: Tensor, *_given: Tensor | None) -> Tensor:
    """The input with entries added (or, where negative, cut) at both ends of its axes."""
    pads = context.integers_or_attribute(1, "pads") or list(context.get("paddings", []))
    axes = context.integers(3)
    axes = list(range(x.ndim)) if axes is None else [axis_of(x, axis) for axis in axes]
    before = dict(zip(axes, pads[: len(axes)], strict=True))
    after = dict(zip(axes, pads[len(axes) :], strict=True))
    context.bounded([size + before.get(axis, 0) + after.get(axis, 0) for axis, size in enumerate(x.shape)])
    mode = context.get("mode", "constant")
    if mode == "constant":
        value = context.get("value", 0.0) if context.version < 11 else context.number(2)
        amounts = [pair for axis in reversed(range(x.ndim)) for pair in (before.get(axis, 0), after.get(axis, 0))]
        return F.pad(x, amounts, value=value or 0)
    for axis in axes:
        x = _extended(context, x, axis, (before[axis], after[axis]))
    return x


def _extended(context: NodeContext, x: Tensor, axis: int, amounts: tuple[int, int]) -> Tensor:
    """The input with one axis continued by its own entries: mirrored, repeated at the edge, or around."""
    size, mode = x.shape[axis], context.get("mode")
    if amounts == (0, 0):
        return x
    places = torch.arange(-amounts[0], size + amounts[1])
    if mode == "edge":
        places = places.clamp(0, size - 1)
    elif mode == "wrap":
        places = places % size
    elif mode == "reflect":
        period = max(2 * (size - 1), 1)
        places = places % period
        places = torch.minimum(places, period - places)
    else:
        raise context.unsupported(f"mode {mode!r}")
    return x.index_select(axis, places)


@handler("CenterCropPad")
def centre(context: NodeContext, x: Tensor, _shape: Tensor) -> Tensor:
    """The input cut or padded with zeros to a shape, about its middle."""
    target = context.integers(1) or []
    axes = context.get("axes")
    axes = list(range(x.ndim)) if axes is None else [axis_of(x, axis) for axis in axes]
    context.bounded(target)
    for axis, size in zip(axes, target, strict=True):
        surplus = x.shape[axis] - size
        if surplus > 0:
            x = x.narrow(axis, surplus // 2, size)
        elif surplus < 0:
            front = -surplus // 2
            x = F.pad(x, [0, 0] * (x.ndim - 1 - axis) + [front, -surplus - front])
    return x
