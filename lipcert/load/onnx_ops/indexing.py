"""Taking entries by place, and putting them."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, as_indices, axis_of, entries, handler


@handler("Slice")
def take_slice(context: NodeContext, x: Tensor, *_bounds: Tensor) -> Tensor:
    """A stretch of some axes, forwards or backwards."""
    starts = context.integers_or_attribute(1, "starts") or []
    ends = context.integers_or_attribute(2, "ends") or []
    axes = context.integers_or_attribute(3, "axes") or list(range(len(starts)))
    steps = context.integers(4) or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        x = _stretch(x, axis_of(x, axis), start, end, step)
    return x


def _stretch(x: Tensor, axis: int, start: int, end: int, step: int) -> Tensor:
    size = x.shape[axis]
    if step > 0:
        first, last, _ = slice(start, end, step).indices(size)
        if (first, last, step) == (0, size, 1):
            return x
        taken: Tensor = torch.ops.aten.slice(x, axis, first, max(first, last), step)
        return taken
    places = range(*slice(start, end if end >= -size else None, step).indices(size))
    return x.index_select(axis, torch.tensor(list(places), dtype=torch.int64))


@handler("Gather")
def gather(context: NodeContext, x: Tensor, indices: Tensor) -> Tensor:
    """Slices of x at places along an axis."""
    axis = axis_of(x, context.get("axis", 0))
    if indices.ndim == 0 and not context.live[1]:
        return x.select(axis, int(entries(indices)[0]))
    places = as_indices(indices, x.shape[axis])
    taken = x.index_select(axis, places.reshape(-1))
    return taken.reshape([*x.shape[:axis], *places.shape, *x.shape[axis + 1 :]])


@handler("GatherElements")
def gather_elements(context: NodeContext, x: Tensor, indices: Tensor) -> Tensor:
    """Entries of x at places along an axis, one for each index."""
    axis = axis_of(x, context.get("axis", 0))
    return x.gather(axis, as_indices(indices, x.shape[axis]))


def _coordinates(x: Tensor, indices: Tensor, first: int = 0) -> list[Tensor]:
    """The last axis of `indices` as one index tensor for each leading axis of x after the `first`."""
    return [as_indices(indices[..., k], x.shape[first + k]) for k in range(indices.shape[-1])]


@handler("GatherND")
def gather_nd(context: NodeContext, x: Tensor, indices: Tensor) -> Tensor:
    """Slices of x at coordinates."""
    batch = context.get("batch_dims", 0)
    lead = [
        torch.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(indices.ndim - 1)])
        for axis in range(batch)
    ]
    return x[(*lead, *_coordinates(x, indices, batch))]


_REDUCE = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


@handler("ScatterElements", "Scatter")
def scatter_elements(context: NodeContext, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """The input with entries along an axis replaced by, or combined with, updates."""
    axis, reduction = axis_of(x, context.get("axis", 0)), context.get("reduction", "none")
    places = as_indices(indices, x.shape[axis])
    if reduction == "none":
        return torch.scatter(x, axis, places, updates)
    return torch.scatter_reduce(x, axis, places, updates, _REDUCE[reduction])


@handler("ScatterND")
def scatter_nd(context: NodeContext, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """The input with slices at coordinates replaced by, or combined with, updates."""
    reduction = context.get("reduction", "none")
    coordinates = tuple(_coordinates(x, indices))
    if reduction in ("none", "add"):
        return torch.index_put(x, coordinates, updates, accumulate=reduction == "add")
    depth = len(coordinates)
    flat = torch.zeros((), dtype=torch.int64)
    for size, coordinate in zip(x.shape[:depth], coordinates, strict=True):
        flat = flat * size + coordinate
    rows = x.reshape([x.shape[:depth].numel(), -1])
    places = flat.reshape(-1, 1).expand(flat.numel(), rows.shape[1])
    values = updates.reshape([flat.numel(), -1])
    return torch.scatter_reduce(rows, 0, places, values, _REDUCE[reduction]).reshape(x.shape)


@handler("OneHot")
def one_hot(context: NodeContext, indices: Tensor, _depth: Tensor, values: Tensor) -> Tensor:
    """values[1] where an index says, values[0] elsewhere, along a new axis."""
    depth = int(context.number(1) or 0)
    axis = context.get("axis", -1)
    axis = axis + indices.ndim + 1 if axis < 0 else axis
    context.bounded([*indices.shape, depth])
    places = as_indices(indices, depth).unsqueeze(axis)
    shape = [-1 if i == axis else 1 for i in range(indices.ndim + 1)]
    return torch.where(places == torch.arange(depth).reshape(shape), values[1], values[0])


@handler("Compress")
def compress(context: NodeContext, x: Tensor, _condition: Tensor) -> Tensor:
    """Slices of x where a constant condition holds."""
    condition = context.constant(1)
    assert condition is not None
    places = torch.nonzero(condition).reshape(-1)
    if context.get("axis") is None:
        return x.reshape(-1).index_select(0, places)
    return x.index_select(axis_of(x, context.get("axis")), places)


@handler("NonZero")
def non_zero(context: NodeContext, _x: Tensor) -> Tensor:
    """Coordinates of the entries of a constant that are not zero."""
    x = context.constant(0)
    assert x is not None
    return torch.nonzero(x).T


@handler("Trilu")
def triangle(context: NodeContext, x: Tensor, _diagonal: Tensor | None = None) -> Tensor:
    """The input with zeros under (or over) a diagonal."""
    diagonal = int(context.number(1) or 0)
    return torch.triu(x, diagonal) if context.get("upper", 1) else torch.tril(x, diagonal)


@handler("ReverseSequence")
def reverse_sequence(context: NodeContext, x: Tensor, lengths: Tensor) -> Tensor:
    """The first entries of each sequence in reverse order, as many as its length."""
    batch, time = context.get("batch_axis", 1), context.get("time_axis", 0)
    steps = torch.arange(x.shape[time])
    reversed_steps = lengths.reshape(-1, 1) - 1 - steps
    places = torch.where(reversed_steps >= 0, reversed_steps, steps)
    places = places if batch < time else places.T
    shape = [x.shape[axis] if axis in (batch, time) else 1 for axis in range(x.ndim)]
    return x.gather(time, places.reshape(shape).expand(x.shape))


@handler("TensorScatter")
def tensor_scatter(context: NodeContext, x: Tensor, update: Tensor, starts: Tensor | None = None) -> Tensor:
    """The input with a stretch of one axis replaced in each sample, from where the sample's start says."""
    axis = axis_of(x, context.get("axis", -2))
    lead = [update.shape[0]] + [1] * (update.ndim - 1)
    first = torch.zeros(lead, dtype=torch.int64) if starts is None else starts.to(torch.int64).reshape(lead)
    steps = torch.arange(update.shape[axis]).reshape([-1 if i == axis else 1 for i in range(update.ndim)])
    places = first + steps
    if context.get("mode", "linear") == "circular":
        places = places % x.shape[axis]
    return torch.scatter(x, axis, places.expand(update.shape), update)
