"""Which entries of a value each window of an op covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Size, Tensor

from lipcert.graph import Node
from lipcert.rules.interval import entries
from lipcert.rules.largest import Step, Windows


def sliding(node: Node, steps: Sequence[Step]) -> Windows:
    """Windows of a pooling; `steps` are kernel, stride, padding and dilation of each axis."""
    axes = len(steps)
    source, outputs = node.inputs[0].shape[-axes:], node.shape[-axes:]
    lines = []
    for size, count, (kernel, stride, padding, dilation) in zip(source, outputs, steps, strict=True):
        places = torch.arange(count)[:, None] * stride + torch.arange(kernel) * dilation - padding
        lines.append(torch.where((places >= 0) & (places < size), places, -1))
    windows = _product(node, lines)
    return replace(windows, slide=tuple(steps)) if node.shape[0] == 1 and len(node.shape) == axes + 2 else windows


def adaptive(node: Node, axes: int) -> Windows:
    """Windows of an adaptive pooling: from floor(i n / w) up to ceil((i + 1) n / w)."""
    source, outputs = node.inputs[0].shape[-axes:], node.shape[-axes:]
    lines = []
    for size, count in zip(source, outputs, strict=True):
        starts, ends = torch.arange(count) * size // count, -(-(torch.arange(count) + 1) * size // count)
        places = starts[:, None] + torch.arange(int((ends - starts).max()))
        lines.append(torch.where(places < ends[:, None], places, -1))
    return _product(node, lines)


def reduced(node: Node, axes: Sequence[int]) -> Windows:
    """One window for each place of the axes that are kept."""
    shape = node.inputs[0].shape
    numbers = torch.arange(shape.numel()).reshape(shape)
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    places = numbers.permute(*kept, *axes).reshape(Size(shape[axis] for axis in kept).numel(), -1)
    return Windows(places, (entries(node.inputs[0]),), entries(node))


def paired(node: Node) -> Windows:
    """Two live values entry by entry, broadcast."""
    places, start = [], 0
    for source in node.inputs:
        count = source.shape.numel()
        places.append(torch.arange(start, start + count).reshape(source.shape).broadcast_to(node.shape).flatten())
        start += count
    return Windows(torch.stack(places, 1), tuple(entries(source) for source in node.inputs), entries(node))


def _product(node: Node, lines: Sequence[Tensor]) -> Windows:
    """Windows over several axes from those over each, for every channel alike."""
    source = node.inputs[0].shape
    axes = len(lines)
    places = torch.zeros(1, 1, dtype=torch.int64)
    for line, size in zip(lines, source[-axes:], strict=True):
        joined = places[:, None, :, None] * size + line[None, :, None, :]
        missing = (places < 0)[:, None, :, None] | (line < 0)[None, :, None, :]
        places = torch.where(missing, -1, joined).flatten(2, 3).flatten(0, 1)
    channels, span = source[:-axes].numel(), source[-axes:].numel()
    numbers = torch.arange(channels)[:, None, None] * span + places
    return Windows(torch.where(places < 0, -1, numbers).flatten(0, 1), (entries(node.inputs[0]),), entries(node))
