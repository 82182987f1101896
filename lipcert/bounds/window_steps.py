"""Rows on windows through the ops that keep them on windows: convolutions, what acts on entries, and sums.

A window of h places of a convolution's output, kernel k, stride s, dilation d, padding p, at corner o, reads the
(h - 1) s + (k - 1) d + 1 places of the input from o s - p on: a transposed convolution of the window without padding.
Source: the "patches" of Xu et al., NeurIPS 2020 (auto_LiRPA); written anew.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Size, Tensor

from lipcert.bounds.windows import Windows, total
from lipcert.graph import Node
from lipcert.rules.interval import entries
from lipcert.rules.relaxation import AbstractRelaxation, Affine, Elementwise

Kernels = dict[tuple[Node, Size], Tensor]
_SPREAD: dict[int, Any] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_LARGEST = 2**20  # entries of a window's matrix, beyond which the transposed convolution itself is cheaper


def pull_windows(
    node: Node, relaxation: AbstractRelaxation, rows: Windows, kernels: Kernels
) -> tuple[tuple[Windows, ...], Tensor | None] | None:
    """As `AbstractRelaxation.pull`; None where the rows must be written out first.

    kernels  matrices of windows, kept between calls
    """
    if isinstance(relaxation, Elementwise):
        return _elementwise(relaxation, rows)
    if isinstance(relaxation, Affine) and relaxation.identity:
        return (rows,) * len(relaxation.adjoints), None
    if isinstance(relaxation, Affine) and is_convolution(node) and not _too_wide(node, rows.size):
        return _convolution(node, relaxation, rows.cleaned(entries(node)[1:]), kernels)
    return None


def is_convolution(node: Node) -> bool:
    """Whether the node is a convolution of maps with a constant kernel, not transposed, one image a sample."""
    if node.op != "convolution" or node.shape[0] != 1 or bool(node.args[6]):
        return False
    return isinstance(node.args[0], Node) and isinstance(node.args[1], Tensor) and len(node.inputs) == 1


def read_by(node: Node, size: Size) -> Size:
    """Extent of what windows of `size` of a convolution's output read of its input."""
    stride, _, dilation = geometry(node)
    kernel = node.args[1].shape[2:]
    return Size((h - 1) * s + (k - 1) * d + 1 for h, s, k, d in zip(size, stride, kernel, dilation, strict=True))


def geometry(node: Node) -> tuple[list[int], list[int], list[int]]:
    """Stride, padding and dilation of a convolution, one number an axis."""
    axes = node.args[1].ndim - 2
    stride, padding, dilation = (list(node.args[i]) for i in (3, 4, 5))
    return tuple(each * axes if len(each) == 1 else each for each in (stride, padding, dilation))  # type: ignore[return-value]


def _too_wide(node: Node, size: Size) -> bool:
    """Whether the window of the input is more than half of it."""
    return 2 * read_by(node, size).numel() > node.inputs[0].shape[2:].numel()


def _elementwise(relaxation: Elementwise, rows: Windows) -> tuple[tuple[Windows, ...], Tensor | None]:
    lower = rows.gather(relaxation.lower_slope)
    if relaxation.exact:
        offset = None if relaxation.lower_offset is None else rows.inner(relaxation.lower_offset)
        return (Windows(rows.values * lower, rows.corner, clean=True),), offset
    positive, negative = rows.values.clamp_min(0.0), rows.values.clamp_max(0.0)
    values = torch.addcmul(positive * lower, negative, rows.gather(relaxation.upper_slope))
    parts = ((positive, relaxation.lower_offset), (negative, relaxation.upper_offset))
    offsets = [total(part, rows.gather(offset)) for part, offset in parts if offset is not None]
    return (Windows(values, rows.corner, clean=True),), sum(offsets[1:], offsets[0]) if offsets else None


def _convolution(
    node: Node, relaxation: Affine, rows: Windows, kernels: Kernels
) -> tuple[tuple[Windows, ...], Tensor | None]:
    stride, padding, _ = geometry(node)
    offset = None if relaxation.offset is None else rows.inner(relaxation.offset)
    flat = rows.values.flatten(0, 1)
    shape = (node.inputs[0].shape[1], *read_by(node, rows.size))
    if flat[0].numel() * Size(shape).numel() > _LARGEST:
        pulled = _spread(node, flat)
    else:
        key = node, rows.size
        if key not in kernels:
            units = torch.eye(flat[0].numel(), dtype=flat.dtype, device=flat.device).reshape(-1, *flat.shape[1:])
            kernels[key] = _spread(node, units).flatten(1)
        pulled = flat.flatten(1) @ kernels[key]
    steps, start = (torch.tensor(numbers, device=rows.corner.device) for numbers in (stride, padding))
    return (Windows(pulled.reshape(*rows.values.shape[:2], *shape), rows.corner * steps - start),), offset


def _spread(node: Node, windows: Tensor) -> Tensor:
    """The transposed convolution without padding."""
    stride, _, dilation = geometry(node)
    spread: Tensor = _SPREAD[len(stride)](
        windows, node.args[1], stride=stride, groups=int(node.args[8]), dilation=dilation
    )
    return spread
