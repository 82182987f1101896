"""Rows on units and windows through the ops that keep them there: convolutions, what acts on entries, and sums.

A window of h places of a convolution's output, kernel k, stride s, dilation d, padding p, at corner o, reads the
(h - 1) s + (k - 1) d + 1 places of the input from o s - p on: a transposed convolution of the window without padding.
Source: the "patches" of Xu et al., NeurIPS 2020 (auto_LiRPA); written anew.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Size, Tensor

from lipcert.bounds.units import Units
from lipcert.bounds.windows import Windows, total
from lipcert.graph import Node
from lipcert.rules.interval import entries
from lipcert.rules.relaxation import AbstractRelaxation, Affine, Elementwise

Rows = Tensor | Windows | Units
Kernels = dict[tuple[Node, Size], Tensor]
Passed = tuple[tuple[Rows, ...], Tensor | None]
_SPREAD: dict[int, Any] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_LARGEST = 2**20  # entries of a window's matrix, beyond which the transposed convolution itself is cheaper


def pull_units(node: Node, relaxation: AbstractRelaxation, rows: Units) -> Passed | None:
    """As `AbstractRelaxation.pull`; None where the rows must be written out first."""
    if isinstance(relaxation, Elementwise):
        positive, negative = rows.scale.clamp_min(0.0), rows.scale.clamp_max(0.0)
        scale = positive * rows.gather(relaxation.lower_slope) + negative * rows.gather(relaxation.upper_slope)
        parts = ((positive, relaxation.lower_offset), (negative, relaxation.upper_offset))
        offsets = [part * rows.gather(offset) for part, offset in parts if offset is not None]
        return (Units(rows.index, scale),), sum(offsets[1:], offsets[0]) if offsets else None
    if not isinstance(relaxation, Affine):
        return None
    offset = None if relaxation.offset is None else rows.inner(relaxation.offset)
    if relaxation.identity:
        return (rows,) * len(relaxation.adjoints), offset
    if relaxation.matrix is not None:
        taken = relaxation.matrix.index_select(0, rows.index.flatten()).reshape(*rows.index.shape, -1)
        return ((taken * rows.scale.unsqueeze(2)).reshape(*rows.index.shape, *entries(node.inputs[0])),), offset
    if opens_windows(node):
        return (_first_windows(node, rows),), offset
    return None


def pull_windows(node: Node, relaxation: AbstractRelaxation, rows: Windows, kernels: Kernels) -> Passed | None:
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


def opens_windows(node: Node) -> bool:
    """Whether units of the node go over into windows of its input."""
    if not is_convolution(node) or int(node.args[8]) != 1:
        return False
    return not _too_wide(node, Size([1] * len(geometry(node)[0])))


def read_by(node: Node, size: Size) -> Size:
    """Extent of what windows of `size` of a convolution's output read of its input."""
    stride, _, dilation = geometry(node)
    kernel = node.args[1].shape[2:]
    return Size((h - 1) * s + (k - 1) * d + 1 for h, s, k, d in zip(size, stride, kernel, dilation, strict=True))


def geometry(node: Node) -> tuple[list[int], list[int], list[int]]:
    """Stride, padding and dilation of a convolution, one number an axis."""
    axes = node.args[1].ndim - 2
    stride, padding, dilation = (_each(node.args[i], axes) for i in (3, 4, 5))
    return stride, padding, dilation


def _each(numbers: list[int], axes: int) -> list[int]:
    return list(numbers) * axes if len(numbers) == 1 else list(numbers)


def _too_wide(node: Node, size: Size) -> bool:
    """Whether the window of the input is more than half of it."""
    return 2 * read_by(node, size).numel() > node.inputs[0].shape[2:].numel()


def _first_windows(node: Node, rows: Units) -> Windows:
    """The kernel of each unit's filter, where the unit reads."""
    sides = entries(node)[1:]
    weight, places = _spread_kernel(node), sides.numel()
    values = weight[rows.index // places] * rows.scale.reshape(*rows.scale.shape, *[1] * (weight.ndim - 1))
    at = rows.index % places
    used = torch.zeros(places, dtype=torch.bool, device=at.device)
    used[at.flatten()] = True
    corners = torch.stack(torch.unravel_index(used.nonzero()[:, 0], sides), 1)
    return Windows(values, _corners_before(node, corners), (used.cumsum(0) - 1)[at])


def _spread_kernel(node: Node) -> Tensor:
    """The kernel with zeros between its taps where it is dilated."""
    weight: Tensor = node.args[1]
    dilation = geometry(node)[2]
    if set(dilation) == {1}:
        return weight
    one = Size([1] * len(dilation))
    wide = weight.new_zeros(*weight.shape[:2], *read_by(node, one))
    wide[(slice(None), slice(None), *(slice(None, None, step) for step in dilation))] = weight
    return wide


def _corners_before(node: Node, places: Tensor) -> Tensor:
    stride, padding, _ = geometry(node)
    steps, start = (torch.tensor(numbers, device=places.device) for numbers in (stride, padding))
    return places * steps - start


def _elementwise(relaxation: Elementwise, rows: Windows) -> Passed:
    lower = rows.gather(relaxation.lower_slope)
    if relaxation.exact:
        offset = None if relaxation.lower_offset is None else rows.inner(relaxation.lower_offset)
        return (rows.replaced(rows.values * lower),), offset
    positive, negative = rows.values.clamp_min(0.0), rows.values.clamp_max(0.0)
    values = torch.addcmul(positive * lower, negative, rows.gather(relaxation.upper_slope))
    parts = ((positive, relaxation.lower_offset), (negative, relaxation.upper_offset))
    offsets = [total(part, rows.gather(offset)) for part, offset in parts if offset is not None]
    return (rows.replaced(values),), sum(offsets[1:], offsets[0]) if offsets else None


def _convolution(node: Node, relaxation: Affine, rows: Windows, kernels: Kernels) -> Passed:
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
    return (Windows(pulled.reshape(*rows.at.shape, *shape), _corners_before(node, rows.places), rows.at),), offset


def _spread(node: Node, windows: Tensor) -> Tensor:
    """The transposed convolution without padding."""
    stride, _, dilation = geometry(node)
    spread: Tensor = _SPREAD[len(stride)](
        windows, node.args[1], stride=stride, groups=int(node.args[8]), dilation=dilation
    )
    return spread
