"""Convolution in one, two or three dimensions at its real input size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Size, Tensor

from lipcert.operators.base import AbstractLinearOperator, Power
from lipcert.operators.grouped import convolve_groups, spread_groups
from lipcert.operators.patches import batch_pays, convolve_batch, spread_batch

_CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_SPREAD = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@final
class ConvolutionOperator(AbstractLinearOperator):
    """x -> K * x with zero padding: (channels, *size) -> (filters, *outputs).

    weight    (filters, channels / groups, *kernel)
    size      spatial size of the input
    padding   an (before, after) pair for each axis
    outputs   spatial size of the output where the last places are left out, as the adjoint of a transposed
              convolution with a large output padding needs; None for all of them

    Every entry of the matrix is one weight or zero: two taps never join the same input to the same output.
    """

    def __init__(
        self,
        weight: Tensor,
        size: Sequence[int],
        *,
        stride: Sequence[int],
        padding: Sequence[tuple[int, int]],
        dilation: Sequence[int],
        groups: int = 1,
        outputs: Sequence[int] | None = None,
    ) -> None:
        self.weight = weight.detach().to(torch.float64)
        self.kernel, self.size = tuple(weight.shape[2:]), tuple(size)
        self.stride, self.padding, self.dilation = tuple(stride), tuple(padding), tuple(dilation)
        self.groups = groups
        full = tuple(
            (n + sum(p) - d * (k - 1) - 1) // s + 1
            for n, p, d, k, s in zip(size, padding, dilation, self.kernel, stride, strict=True)
        )
        self._full = full
        self.outputs = full if outputs is None else tuple(outputs)
        if min(self.outputs) < 1 or any(o > f for o, f in zip(self.outputs, full, strict=True)):
            raise ValueError(f"input size {self.size} gives outputs {full}, asked for {self.outputs}")
        self.in_shape = Size((weight.shape[1] * groups, *self.size))
        self.out_shape = Size((weight.shape[0], *self.outputs))
        self.terms = max(weight.shape[1], weight.shape[0] // groups) * self.weight[0, 0].numel()
        self.device, self.mixed = self.weight.device, True

    def apply(self, x: Tensor) -> Tensor:
        """Pad with zeros, convolve, leave out the places beyond `outputs`."""
        x = F.pad(x, [amount for pair in reversed(self.padding) for amount in pair])
        weight = self.weight.to(x.dtype)
        if self.groups > 1:
            return convolve_groups(
                x, weight, self.outputs, stride=self.stride, dilation=self.dilation, groups=self.groups
            )
        if batch_pays(x, self._full):
            y = convolve_batch(x, weight, self._full, stride=self.stride, dilation=self.dilation)
        else:
            y = _CONVOLVE[len(self.size)](x, weight, stride=self.stride, dilation=self.dilation)
        return _window(y, [0] * len(self.size), self.outputs)

    def adjoint(self, y: Tensor) -> Tensor:
        """Spread without padding, then cut the input's window out."""
        weight = self.weight.to(y.dtype)
        if self.groups > 1:
            padded = [n + sum(pair) for n, pair in zip(self.size, self.padding, strict=True)]
            spread = spread_groups(y, weight, padded, stride=self.stride, dilation=self.dilation, groups=self.groups)
        elif batch_pays(y, self.outputs):
            spread = spread_batch(y, weight, stride=self.stride, dilation=self.dilation)
        else:
            spread = _SPREAD[len(self.size)](y, weight, stride=self.stride, dilation=self.dilation)
        return _window(spread, [before for before, _ in self.padding], self.size)

    def powered(self, power: Power) -> ConvolutionOperator:
        """A convolution with the kernel's powers."""
        return self.with_weight(self.weight.abs() ** power)

    def with_weight(self, weight: Tensor) -> ConvolutionOperator:
        """The same geometry with another kernel."""
        return ConvolutionOperator(
            weight,
            self.size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            outputs=self.outputs,
        )

    @property
    def work(self) -> float:
        """Products of one application: every weight at every place."""
        return float(self.weight.numel()) * math.prod(self.outputs)

    def hits(self, axis: int) -> Tensor:
        """(outputs, kernel) positions in the input of `axis` that each tap reads; outside 0..size-1 lies padding."""
        places = torch.arange(self.outputs[axis])[:, None] * self.stride[axis]
        return places + torch.arange(self.kernel[axis])[None, :] * self.dilation[axis] - self.padding[axis][0]


def _window(x: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    """x[..., start : start + size] on the spatial axes, zeros beyond its end."""
    missing = [max(0, b + n - have) for b, n, have in zip(start, size, x.shape[2:], strict=True)]
    x = F.pad(x, [amount for after in reversed(missing) for amount in (0, after)])
    return x[(slice(None), slice(None), *(slice(b, b + n) for b, n in zip(start, size, strict=True)))]
