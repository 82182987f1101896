"""Windows that slide over the trailing axes, shared by convolution and pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch.nn.functional as F
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window that slides over the trailing axes: one number an axis for each of its properties."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]

    @property
    def extent(self) -> tuple[int, ...]:
        """Entries from the window's first to its last, per axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def symmetric(self) -> bool:
        """Whether both ends are padded alike."""
        return self.begin == self.end


def window_of(context: NodeContext, x: Tensor, kernel: tuple[int, ...]) -> Window:
    """The window a node describes, its padding worked out for x."""
    rank = len(kernel)
    if x.ndim != rank + 2:
        raise context.refused(f"a window of {rank} axes needs an input of rank {rank + 2}, got {list(x.shape)}")
    stride = tuple(context.get("strides", [1] * rank))
    dilation = tuple(context.get("dilations", [1] * rank))
    begin, end = padding_of(context, tuple(x.shape[2:]), kernel, stride, dilation)
    return Window(kernel=kernel, stride=stride, dilation=dilation, begin=begin, end=end)


def padding_of(
    context: NodeContext,
    sizes: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Entries added before and after each axis: stated, none, or so many that the output is ceil(size / stride).

    Where that takes less than none, a convolution adds none; of pooling, runtimes make different things.
    """
    rank, automatic = len(kernel), context.get("auto_pad", "NOTSET")
    if automatic not in ("SAME_UPPER", "SAME_LOWER"):
        pads = [0] * 2 * rank if automatic == "VALID" else list(context.get("pads", [0] * 2 * rank))
        return tuple(pads[:rank]), tuple(pads[rank:])
    totals = [
        (-(-size // s) - 1) * s + (k - 1) * d + 1 - size
        for size, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)
    ]
    if min(totals) < 0 and context.op != "Conv":
        raise context.refused(f"auto_pad={automatic} of a window smaller than its stride would have to cut {sizes}")
    return halves([max(total, 0) for total in totals], upper=automatic == "SAME_UPPER")


def halves(totals: list[int], *, upper: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Each total split in two, the odd one at the end (`upper`) or at the beginning."""
    small, large = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
    return (small, large) if upper else (large, small)


def pad_trailing(x: Tensor, begin: tuple[int, ...], end: tuple[int, ...], value: float = 0.0) -> Tensor:
    """The input with constant entries added before and after its trailing axes."""
    pads = [amount for pair in zip(reversed(begin), reversed(end), strict=True) for amount in pair]
    return F.pad(x, pads, value=value) if any(pads) else x
