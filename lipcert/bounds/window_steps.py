"""Rows on units and windows through the ops that keep them there.

These are convolutions, max pools, what acts on entries, sums, and joins of channels. A convolution takes a window to
a transposed convolution of it without padding; a pool's planes hand each place of a window to the places it covers.

Source: the "patches" of Xu et al., NeurIPS 2020 (auto_LiRPA); written anew.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Size, Tensor

from lipcert.bounds.slides import (
    corners_before,
    is_convolution,
    joins_channels,
    opens_windows,
    read_by,
    steps_of,
    too_wide,
)
from lipcert.bounds.units import Units
from lipcert.bounds.windows import Windows, total
from lipcert.graph import Node
from lipcert.rules.interval import entries
from lipcert.rules.largest import Largest, Step
from lipcert.rules.relaxation import AbstractRelaxation, Affine, Elementwise

Rows = Tensor | Windows | Units
Kernels = dict[tuple[Node, Size], Tensor]
Passed = tuple[tuple[Rows, ...], Tensor | None]
_SPREAD: dict[int, Any] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_LARGEST = 2**20  # entries of a window's matrix, beyond which the transposed convolution itself is cheaper


def pull_units(node: Node, relaxation: AbstractRelaxation, rows: Units) -> Passed | None:
    """As `AbstractRelaxation.pull`; None where the rows must be written out first."""
    if isinstance(relaxation, Elementwise):
        return _scaled(relaxation, rows)
    if isinstance(relaxation, Largest) and opens_windows(node):
        return _pool(node, relaxation, _single_places(rows, entries(node)))
    return _affine_units(node, relaxation, rows) if isinstance(relaxation, Affine) else None


def _scaled(relaxation: Elementwise, rows: Units) -> Passed:
    positive, negative = rows.scale.clamp_min(0.0), rows.scale.clamp_max(0.0)
    scale = positive * rows.gather(relaxation.lower_slope) + negative * rows.gather(relaxation.upper_slope)
    parts = ((positive, relaxation.lower_offset), (negative, relaxation.upper_offset))
    offsets = [part * rows.gather(offset) for part, offset in parts if offset is not None]
    return (Units(rows.index, scale),), sum(offsets[1:], offsets[0]) if offsets else None


def _affine_units(node: Node, relaxation: Affine, rows: Units) -> Passed | None:
    offset = None if relaxation.offset is None else rows.inner(relaxation.offset)
    if relaxation.identity:
        return (rows,) * len(relaxation.adjoints), offset
    if relaxation.matrix is not None:
        taken = relaxation.matrix.index_select(0, rows.index.flatten()).reshape(*rows.index.shape, -1)
        return ((taken * rows.scale.unsqueeze(2)).reshape(*rows.index.shape, *entries(node.inputs[0])),), offset
    return ((_first_windows(node, rows),), offset) if opens_windows(node) else None


def pull_windows(node: Node, relaxation: AbstractRelaxation, rows: Windows, kernels: Kernels) -> Passed | None:
    """As `AbstractRelaxation.pull`; None where the rows must be written out first.

    kernels  matrices of windows, kept between calls
    """
    if isinstance(relaxation, Elementwise):
        return _elementwise(relaxation, rows)
    if isinstance(relaxation, Affine) and relaxation.identity:
        return (rows,) * len(relaxation.adjoints), None
    if isinstance(relaxation, Largest) and relaxation.windows.slide and not too_wide(node, rows.size):
        return _pool(node, relaxation, rows)
    if isinstance(relaxation, Affine) and joins_channels(node):
        parts = rows.values.split([entries(source)[0] for source in node.inputs], 2)
        return tuple(Windows(part, rows.places, rows.at, rows.clean) for part in parts), None
    if isinstance(relaxation, Affine) and is_convolution(node) and not too_wide(node, rows.size):
        return _convolution(node, relaxation, rows.cleaned(entries(node)[1:]), kernels)
    return None


def _first_windows(node: Node, rows: Units) -> Windows:
    """The kernel of each unit's filter, where the unit reads; zeros in the channels of other groups."""
    places, groups = entries(node)[1:].numel(), int(node.args[8])
    weight = _spread_kernel(node)
    filters = rows.index // places
    values = weight[filters] * rows.scale.reshape(*rows.scale.shape, *[1] * (weight.ndim - 1))
    if groups > 1:
        shape = values.shape[2:]
        group = (filters // (len(weight) // groups)).reshape(*filters.shape, 1, *[1] * len(shape))
        blank = values.new_zeros(*filters.shape, groups, *shape)
        values = blank.scatter(2, group.expand(-1, -1, 1, *shape), values.unsqueeze(2)).flatten(2, 3)
    corners, at = _used_places(rows.index % places, entries(node)[1:])
    return Windows(values, corners_before(node, corners), at)


def _single_places(rows: Units, shape: Size) -> Windows:
    """Units of a map as windows of one place."""
    places, channels = shape[1:].numel(), shape[0]
    values = rows.scale.new_zeros(*rows.index.shape, channels)
    values = values.scatter(2, (rows.index // places).unsqueeze(2), rows.scale.unsqueeze(2))
    corners, at = _used_places(rows.index % places, shape[1:])
    return Windows(values.reshape(*values.shape, *[1] * (len(shape) - 1)), corners, at, clean=True)


def _used_places(places: Tensor, sides: Size) -> tuple[Tensor, Tensor]:
    """The places of a map that occur, (P, axes), and which of them stands where."""
    used = torch.zeros(sides.numel(), dtype=torch.bool, device=places.device)
    used[places.flatten()] = True
    corners = torch.stack(torch.unravel_index(used.nonzero()[:, 0], sides), 1)
    return corners, (used.cumsum(0) - 1)[places]


def _spread_kernel(node: Node) -> Tensor:
    """The kernel with zeros between its taps where it is dilated."""
    weight: Tensor = node.args[1]
    steps = steps_of(node) or []
    dilation = [d for _, _, _, d in steps]
    if set(dilation) == {1}:
        return weight
    wide = weight.new_zeros(*weight.shape[:2], *read_by(node, Size([1] * len(dilation))))
    wide[(slice(None), slice(None), *(slice(None, None, step) for step in dilation))] = weight
    return wide


def _pool(node: Node, relaxation: Largest, rows: Windows) -> Passed:
    """Positive coefficients to the lower plane, negative ones to the upper plane, one entry of the window at a time."""
    positive, negative = rows.values.clamp_min(0.0), rows.values.clamp_max(0.0)
    below, above = relaxation.by_tap
    pulled = positive.new_zeros(*rows.values.shape[:3], *read_by(node, rows.size))
    for tap, reach in enumerate(_taps(relaxation.windows.slide or (), rows.size)):
        part = torch.addcmul(positive * rows.gather(below[:, tap]), negative, rows.gather(above[:, tap]))
        pulled[(slice(None), slice(None), slice(None), *reach)] += part
    offset = total(negative, rows.gather(relaxation.shift.reshape(-1, *entries(node))))
    return (Windows(pulled, corners_before(node, rows.places), rows.at, clean=True),), offset


def _taps(steps: tuple[Step, ...], size: Size) -> list[tuple[slice, ...]]:
    """Where each entry of the windows lies in what a block of `size` of them reads, in the order of their entries."""
    along = [
        [slice(tap * d, tap * d + (h - 1) * s + 1, s) for tap in range(k)]
        for h, (k, s, _, d) in zip(size, steps, strict=True)
    ]
    return list(itertools.product(*along))


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
    return (Windows(pulled.reshape(*rows.at.shape, *shape), corners_before(node, rows.places), rows.at),), offset


def _spread(node: Node, windows: Tensor) -> Tensor:
    """The transposed convolution without padding."""
    steps = steps_of(node) or []
    stride, dilation = [s for _, s, _, _ in steps], [d for _, _, _, d in steps]
    spread: Tensor = _SPREAD[len(stride)](
        windows, node.args[1], stride=stride, groups=int(node.args[8]), dilation=dilation
    )
    return spread
