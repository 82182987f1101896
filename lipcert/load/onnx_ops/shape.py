"""Changes of shape and order that keep every entry."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, Result, axis_of, handler


@handler("Identity")
def identity(_context: NodeContext, x: Tensor) -> Tensor:
    """The input itself."""
    return x


@handler("Dropout")
def dropout(context: NodeContext, x: Tensor, *_ratio_and_mode: Tensor) -> Result:
    """The input itself: dropout in inference."""
    training = context.number(2) if context.version >= 12 else 0
    if training and context.number(1) != 0:
        raise context.refused("dropout in training mode is random; export the model in inference mode")
    return (x, torch.ones(x.shape, dtype=torch.bool)) if context.wants(1) else x


@handler("Shape")
def shape_of(context: NodeContext, x: Tensor) -> Tensor:
    """The shape, or a stretch of it."""
    return torch.tensor(list(x.shape)[context.get("start", 0) : context.get("end")], dtype=torch.int64)


@handler("Size")
def size_of(_context: NodeContext, x: Tensor) -> Tensor:
    """The number of entries."""
    return torch.tensor(x.numel(), dtype=torch.int64)


@handler("Reshape")
def reshape(context: NodeContext, x: Tensor, _shape: Tensor | None = None) -> Tensor:
    """The input in another shape; 0 keeps an axis, and the batch size the file fixes becomes the running one."""
    target = context.integers(1) if context.version >= 5 else list(context.get("shape"))
    target = list(target or [])
    if not context.get("allowzero", 0):
        target = [x.shape[axis] if size == 0 else size for axis, size in enumerate(target)]
    return x.reshape(running_shape(context, x, target))


def running_shape(context: NodeContext, x: Tensor, target: Sequence[int]) -> list[int]:
    """`target` with the batch size that the exporter wrote as a literal replaced by this run's.

    Only where the literal cannot be meant: without -1, when the entries would not fill the target; with -1, when
    x leads with the running batch and the target with the declared one.
    """
    shape, declared, running = list(target), context.declared_batch, context.running_batch
    if not shape or not declared or not running or declared == running or not context.live[0]:
        return shape
    if -1 not in shape:
        fills = math.prod(shape) * running == x.numel() * declared
        if fills and shape[0] % declared == 0:
            shape[0] = shape[0] // declared * running
    elif shape[0] == declared and x.ndim and x.shape[0] == running:
        shape[0] = running
    return shape


@handler("Flatten")
def flatten(context: NodeContext, x: Tensor) -> Tensor:
    """The input as a matrix, cut before `axis`; a file for a batch of one may cut before the batch, which stays."""
    axis = axis_of(x, context.get("axis", 1))
    if axis == 0 and context.declared_batch == 1 and context.live[0] and x.shape[0] == context.running_batch:
        axis = 1
    if axis == 1 and x.ndim > 1:
        return torch.flatten(x, 1)
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


@handler("Transpose")
def transpose(context: NodeContext, x: Tensor) -> Tensor:
    """The input with its axes in another order."""
    return x.permute(context.get("perm", list(range(x.ndim))[::-1]))


@handler("Squeeze")
def squeeze(context: NodeContext, x: Tensor, _axes: Tensor | None = None) -> Tensor:
    """The input without some axes of size one."""
    axes = context.integers_or_attribute(1, "axes")
    if axes is None:
        axes = [axis for axis, size in enumerate(x.shape) if size == 1]
    axes = sorted({axis_of(x, axis) for axis in axes})
    if any(x.shape[axis] != 1 for axis in axes):
        raise context.refused(f"axes {axes} of shape {list(x.shape)} are to be dropped and are not all of size one")
    return x.squeeze(axes)


@handler("Unsqueeze")
def unsqueeze(context: NodeContext, x: Tensor, _axes: Tensor | None = None) -> Tensor:
    """The input with new axes of size one."""
    axes = context.integers_or_attribute(1, "axes") or []
    rank = x.ndim + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


@handler("Concat")
def concatenate(context: NodeContext, *pieces: Tensor) -> Tensor:
    """Tensors joined along an axis; a constant written for a batch of one is repeated for the running batch."""
    axis = axis_of(pieces[0], context.get("axis", 1))
    if len(pieces) == 1:
        return pieces[0]
    running = context.running_batch
    if context.declared_batch == 1 and running and axis != 0 and any(context.live):
        batched = any(live and piece.shape[0] == running for live, piece in zip(context.live, pieces, strict=True))
        if batched:
            pieces = tuple(_repeated(piece, running) for piece in pieces)
    return torch.cat(pieces, axis)


def _repeated(piece: Tensor, batch: int) -> Tensor:
    return piece.expand([batch, *piece.shape[1:]]) if piece.shape[0] == 1 else piece


@handler("Split")
def split(context: NodeContext, x: Tensor, _sizes: Tensor | None = None) -> Result:
    """The input cut along an axis, at stated sizes or evenly."""
    axis = axis_of(x, context.get("axis", 0))
    sizes = context.integers_or_attribute(1, "split")
    if sizes is None:
        pieces = context.get("num_outputs", len(context.outputs))
        step = -(-x.shape[axis] // pieces)
        sizes = [max(0, min(step, x.shape[axis] - step * piece)) for piece in range(pieces)]
    return tuple(torch.split(x, sizes, axis))


@handler("Expand")
def expand(context: NodeContext, x: Tensor, _shape: Tensor) -> Tensor:
    """The input repeated along axes of size one."""
    target = context.bounded(context.integers(1) or [])
    rank = max(len(target), x.ndim)
    current = [1] * (rank - x.ndim) + list(x.shape)
    target = [1] * (rank - len(target)) + target
    shape = [new if old == 1 else old for old, new in zip(current, target, strict=True)]
    if any(new not in (1, old) and old != 1 for old, new in zip(current, target, strict=True)) and not any(
        context.live
    ):
        raise context.refused(f"shape {list(x.shape)} does not broadcast with {target}")
    return x.expand(context.bounded(shape))


@handler("Tile")
def tile(context: NodeContext, x: Tensor, _repeats: Tensor, _axis: Tensor | None = None) -> Tensor:
    """The input repeated as a whole along each axis."""
    repeats = context.integers(1) or []
    if context.version < 6:
        count, axis = repeats[0], (context.integers(2) or [0])[0]
        repeats = [count if i == axis else 1 for i in range(x.ndim)]
    context.bounded([size * count for size, count in zip(x.shape, repeats, strict=True)])
    return x.repeat(repeats)


@handler("DepthToSpace")
def depth_to_space(context: NodeContext, x: Tensor) -> Tensor:
    """Blocks of channels laid out in the plane."""
    block = context.get("blocksize")
    batch, channels, height, width = x.shape
    depth = channels // block**2
    if context.get("mode", "DCR") == "DCR":
        y = x.reshape(batch, block, block, depth, height, width).permute(0, 3, 4, 1, 5, 2)
    else:
        y = x.reshape(batch, depth, block, block, height, width).permute(0, 1, 4, 2, 5, 3)
    return y.reshape(batch, depth, height * block, width * block)


@handler("SpaceToDepth")
def space_to_depth(context: NodeContext, x: Tensor) -> Tensor:
    """Blocks of the plane stacked as channels."""
    block = context.get("blocksize")
    batch, channels, height, width = x.shape
    y = x.reshape(batch, channels, height // block, block, width // block, block)
    order = (0, 3, 5, 1, 2, 4) if context.get("mode", "DCR") == "DCR" else (0, 1, 3, 5, 2, 4)
    return y.permute(order).reshape(batch, channels * block * block, height // block, width // block)
