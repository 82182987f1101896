"""Nodes that are convolutions with zero padding: as such, as average pooling, as padding alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import ConvolutionOperator
from lipcert.rules.base import RULES, argument
from lipcert.rules.layer_norms import LayerNorms
from lipcert.rules.pooling import _window as window


@final
@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """A convolution without groups: weight (out, in, *taps), and per axis stride, dilation and padding before."""

    weight: Tensor
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[int, ...]

    @property
    def majorant(self) -> Tensor:
        """Sum over the taps of the absolute values, (out, in)."""
        return self.weight.abs().flatten(2).sum(2)

    def beyond(self, axis: int, before: int, after: int) -> bool:
        """Whether a window that counts reads outside the valid places."""
        reach = self.dilation[axis] * (self.weight.shape[2 + axis] - 1) - self.padding[axis]
        return self.padding[axis] > 0 or self.stride[axis] * (after - 1) + reach > before - 1

    @property
    def pointwise(self) -> bool:
        """Whether it works at each place apart."""
        taps = math.prod(self.weight.shape[2:])
        return taps == 1 and all(s == 1 for s in self.stride) and not any(self.padding)

    def room(self, axis: int, before: int, after: int) -> int:
        """The least size of a torus on which no window that counts reaches around to a valid place.

        before, after  places of the axis in front of and behind the convolution
        """
        reach = self.dilation[axis] * (self.weight.shape[2 + axis] - 1) - self.padding[axis]
        return max(before + self.padding[axis], self.stride[axis] * (after - 1) + reach + 1, before)

    def symbol(self, sizes: Sequence[int]) -> Tensor:
        """The sum over the taps at every frequency of the grid, (*sizes, out, in), complex128.

        The angles are reduced exactly before they are rounded, so each factor is within 8 u of the exact one.
        """
        values = self.weight.to(torch.complex128)
        for axis, size in enumerate(sizes):
            taps = torch.arange(self.weight.shape[2 + axis]) * self.dilation[axis] - self.padding[axis]
            turns = (torch.arange(size)[:, None] * taps) % size
            waves = torch.polar(torch.ones(1, dtype=torch.float64), turns.double() * (2 * math.pi / size))
            values = torch.tensordot(values, waves.to(values.device), dims=([2], [1]))
        return values.permute(*range(2, 2 + len(sizes)), 0, 1)


def kernel_of(node: Node, norms: LayerNorms) -> Kernel | None:
    """The convolution that a node is; None where it is none."""
    if (
        len(node.inputs) != 1
        or node.op not in RULES
        or len(node.shape) < 3
        or len(node.inputs[0].shape) != len(node.shape)
    ):
        return None
    if node.op == "convolution":
        operator = norms.operator(node)
        return _convolution(operator) if isinstance(operator, ConvolutionOperator) else None
    if node.op.startswith("avg_pool"):
        return _average(node)
    return _padding(node) if node.op == "constant_pad_nd" else None


def _convolution(operator: ConvolutionOperator) -> Kernel:
    weight, groups = operator.weight, operator.groups
    if groups > 1:
        filters, inputs = weight.shape[0] // groups, weight.shape[1]
        spread = weight.new_zeros(weight.shape[0], inputs * groups, *weight.shape[2:])
        for group in range(groups):
            rows = slice(group * filters, (group + 1) * filters)
            spread[rows, group * inputs : (group + 1) * inputs] = weight[rows]
        weight = spread
    return Kernel(weight, operator.stride, operator.dilation, tuple(before for before, _ in operator.padding))


def _average(node: Node) -> Kernel | None:
    """Average pooling whose windows all lie inside the image."""
    axes, channels = len(node.shape) - 2, node.shape[1]
    kernel, stride, padding = window(node, axes)
    divisor: Any = argument(node, 6, "divisor_override")
    inside = all(
        s * (m - 1) + k <= n
        for n, m, k, s in zip(node.inputs[0].shape[2:], node.shape[2:], kernel, stride, strict=True)
    )
    if any(padding) or divisor is not None or not inside:
        return None
    one = torch.full(kernel, 1.0 / math.prod(kernel), dtype=torch.float64)
    unit = torch.eye(channels, dtype=torch.float64)
    weight = unit.reshape(channels, channels, *[1] * axes) * one
    return Kernel(weight, tuple(stride), (1,) * axes, (0,) * axes)


def _padding(node: Node) -> Kernel | None:
    """Zeros around the image, or a crop."""
    axes, channels = len(node.shape) - 2, node.shape[1]
    amounts: Any = node.args[1]
    value: Any = argument(node, 2, "value", 0)
    if any(amounts[2 * axes :]) or isinstance(value, Node) or float(value) != 0.0:
        return None
    before = [0] * axes
    for place in range(min(axes, len(amounts) // 2)):
        before[axes - 1 - place] = int(amounts[2 * place])
    weight = torch.eye(channels, dtype=torch.float64).reshape(channels, channels, *[1] * axes)
    return Kernel(weight, (1,) * axes, (1,) * axes, tuple(before))
