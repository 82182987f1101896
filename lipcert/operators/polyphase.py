"""A convolution of any geometry as one of stride 1 and dilation 1 on a coarser grid, with more channels.

On one axis output o reads input s o + d t - p at tap t. Let g = gcd(s, d). Outputs of different residues modulo d/g
read different inputs, so the operator falls into d/g parts (in several dimensions, their products). In part c let
o = (d/g) o' + c, and let tap t = (s/g) m + r have phase r and offset m. Then the input is

    (s d / g) (o' + m) + d r + s c - p,

that is, place q = o' + m of the channel (channel, r) of part c. Hence every part is y[o'] = sum_m K_m x[o' + m] with
the same matrices K_m, of filters x (channels * phases); the parts differ only in which places exist.
Taps that only ever meet padding are left out. Every entry of K_m is one weight or zero: nothing is rounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.operators.convolution import ConvolutionOperator


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AxisPhases:
    """One axis of a convolution, split.

    taps, phase, offset  one entry for each tap that meets the input: its index, and where it goes (offsets from 0)
    phases, length       how many of each there are
    grid                 least size of a circulant that holds every part; 1 for a single offset
    rows                 how many places o' any part has
    columns              (phases, number of places q that any part reads) input index in part 0, -1 where none
    present              (phases, number of places q) whether any part has that place
    shift                the offset from 0 that joins places o' and q, each counted from the first, is q - o' - shift
    """

    taps: Tensor
    phase: Tensor
    offset: Tensor
    phases: int
    length: int
    grid: int
    rows: int
    shift: int
    columns: Tensor
    present: Tensor


def split_axis(operator: ConvolutionOperator, axis: int) -> AxisPhases | None:
    """The phases of one axis; None where no tap ever meets the input."""
    stride, dilation, size = operator.stride[axis], operator.dilation[axis], operator.size[axis]
    common = math.gcd(stride, dilation)
    parts, period, step = dilation // common, stride // common, stride * dilation // common
    hits = operator.hits(axis)
    output, tap = ((hits >= 0) & (hits < size)).nonzero().unbind(1)
    if not len(tap):
        return None
    part, row, offset = output % parts, output // parts, tap // period
    column = row + offset
    taps = tap.unique()
    used = (taps % period).unique()
    low, high = int(offset.min()), int(offset.max())
    grid = max(_least_grid(row[part == c], column[part == c], low, high) for c in part.unique().tolist())
    first, last = int(column.min()), int(column.max())
    places = torch.arange(first, last + 1)
    columns = step * places[None] + (dilation * used - operator.padding[axis][0])[:, None]
    present = torch.zeros(len(used), len(places), dtype=torch.bool)
    present[torch.searchsorted(used, tap % period), column - first] = True
    return AxisPhases(
        taps=taps,
        phase=torch.searchsorted(used, taps % period),
        offset=taps // period - low,
        phases=len(used),
        length=high - low + 1,
        grid=grid if high > low else 1,
        rows=int(row.max() - row.min()) + 1,
        shift=int(row.min()) + low - first,
        columns=torch.where((columns >= 0) & (columns < size), columns, -1),
        present=present,
    )


def _least_grid(rows: Tensor, columns: Tensor, low: int, high: int) -> int:
    """The least M such that for all rows o and columns q at hand only q - o itself, of all q - o + j M, is an offset.

    The differences q - o lie between q_min - o_max and q_max - o_min, the offsets between `low` and `high`; rows and
    columns must also be distinct modulo M.
    """
    o_min, o_max, q_min, q_max = (int(x) for x in (rows.min(), rows.max(), columns.min(), columns.max()))
    return max(high + 1 + o_max - q_min, q_max - o_min - low + 1, o_max - o_min + 1, q_max - q_min + 1)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolyphaseKernel:
    """The matrices K_m of a convolution, taps (groups, rows, columns, *lengths), float64, and where they act."""

    taps: Tensor
    axes: tuple[AxisPhases, ...]

    @property
    def grid(self) -> tuple[int, ...]:
        """Least size of an admissible circulant on each axis."""
        return tuple(axis.grid for axis in self.axes)

    def written_out(self, axis: int) -> tuple[Tensor, tuple[int, ...]]:
        """Taps with one offset on this axis, whose places become channels of a Toeplitz matrix; and their grid."""
        split = self.axes[axis]
        places = torch.arange(split.columns.shape[1])[None] - torch.arange(split.rows)[:, None] - split.shift
        inside = ((places >= 0) & (places < split.length)).flatten().to(self.taps)
        joined = self.taps.movedim(3 + axis, -1)[..., places.clamp(0, split.length - 1).flatten().to(self.taps.device)]
        joined = (joined * inside).unflatten(-1, tuple(places.shape)).movedim(-1, 3).movedim(-1, 2)
        # Columns are now (channels, phases of each axis, places); those without an input in any part are left out.
        before = math.prod(other.phases for other in self.axes[:axis])
        after = math.prod(other.phases for other in self.axes[axis + 1 :])
        channels = self.taps.shape[2] // (before * split.phases * after)
        kept = split.present[None, :, None].expand(channels * before, -1, after, -1).flatten().to(self.taps.device)
        taps = joined.flatten(1, 2).flatten(2, 3)[:, :, kept].unsqueeze(3 + axis)
        return taps, (*self.grid[:axis], 1, *self.grid[axis + 1 :])


def polyphase(operator: ConvolutionOperator) -> PolyphaseKernel | None:
    """The split kernel; None where no tap of some axis meets the input, so that the operator is zero."""
    axes: list[AxisPhases] = []
    kernel = operator.weight.unflatten(0, (operator.groups, -1))
    for axis in range(len(operator.size)):
        split = split_axis(operator, axis)
        if split is None:
            return None
        axes.append(split)
        kernel = kernel.movedim(3 + axis, -1)
        spread = kernel.new_zeros(*kernel.shape[:-1], split.phases, split.length)
        spread[..., split.phase, split.offset] = kernel[..., split.taps]
        kernel = spread.movedim(-1, 3 + axis).movedim(-1, 3).flatten(2, 3)
    return PolyphaseKernel(taps=kernel.contiguous(), axes=tuple(axes))
