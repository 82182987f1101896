"""Pooling by average and by maximum."""

from __future__ import annotations

import math
from typing import Any, final

import torch
from torch import Size, Tensor

from lipcert.graph import Node
from lipcert.operators import SeparableOperator
from lipcert.operators.pooling import adaptive_average_matrix, average_matrix
from lipcert.records import Enclosure, Norm
from lipcert.rounding import product_up
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, argument, copies_gain, copies_norm, rule
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval
from lipcert.rules.largest import Step, Windows, largest_interval, largest_relaxation
from lipcert.rules.relaxation import AbstractRelaxation
from lipcert.rules.window_places import adaptive, sliding

_AXES = {"1": 1, "2": 2, "3": 3}
_NORMS: tuple[Norm, ...] = ("l2", "linf", "l1")


def _axes(node: Node) -> int:
    """Spatial axes, from the op's name."""
    return next(int(c) for c in node.op if c in _AXES)


def _window(node: Node, axes: int, *, first: int = 1) -> tuple[list[int], list[int], list[int]]:
    """Kernel, stride and padding, one number an axis; the stride defaults to the kernel."""
    kernel = _each(node.args[first], axes)
    stride: Any = argument(node, first + 1, "stride") or kernel
    padding: Any = argument(node, first + 2, "padding", 0)
    return kernel, _each(stride, axes), _each(padding, axes)


def _each(value: Any, axes: int) -> list[int]:
    values = list(value) if isinstance(value, tuple | list) else [value]
    return values * axes if len(values) == 1 else values


def _size(shape: Size, axes: int) -> str:
    return "x".join(map(str, shape[-axes:]))


@final
@rule("avg_pool1d", "avg_pool2d", "avg_pool3d")
class AveragePooling(AbstractRule):
    """A Kronecker product over the axes, divided once more where `divisor_override` says so."""

    def operator(self, node: Node, /) -> SeparableOperator:
        """The pooling with its own divisors at every window, edges included."""
        axes, source = _axes(node), node.inputs[0].shape
        kernel, stride, padding = _window(node, axes)
        ceil, count = bool(argument(node, 4, "ceil_mode", False)), bool(argument(node, 5, "count_include_pad", True))
        divisor: Any = argument(node, 6, "divisor_override")
        factors = [
            average_matrix(n, k, s, p, ceil=ceil, count_include_pad=count, divide=divisor is None)
            for n, k, s, p in zip(source[-axes:], kernel, stride, padding, strict=True)
        ]
        factors[0] = factors[0] / (divisor or 1)
        return SeparableOperator([*[None] * (len(source) - axes), *factors], source)

    def geometry(self, node: Node, /) -> Geometry:
        """Average pool 2x2 /2 @28x28."""
        axes = _axes(node)
        kernel, stride, padding = _window(node, axes)
        words = f"average pool {'x'.join(map(str, kernel))} /{stride[0] if len(set(stride)) == 1 else stride}"
        where = _size(node.inputs[0].shape, axes)
        return Geometry(description=f"{words} @{where}", stride=tuple(stride), padding=tuple(padding))


@final
@rule("adaptive_avg_pool1d", "_adaptive_avg_pool2d", "_adaptive_avg_pool3d")
class AdaptiveAveragePooling(AbstractRule):
    """A Kronecker product over the axes."""

    def operator(self, node: Node, /) -> SeparableOperator:
        """The windows of each axis."""
        axes, source = _axes(node), node.inputs[0].shape
        pairs = zip(source[-axes:], node.shape[-axes:], strict=True)
        factors = [adaptive_average_matrix(n, windows) for n, windows in pairs]
        return SeparableOperator([*[None] * (len(source) - axes), *factors], source)

    def geometry(self, node: Node, /) -> Geometry:
        """Adaptive average pool 14x14->7x7."""
        axes = _axes(node)
        sizes = _size(node.inputs[0].shape, axes), _size(node.shape, axes)
        return Geometry(description=f"adaptive average pool {'->'.join(sizes)}")


@final
@rule("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d")
class MaxPooling(AbstractRule):
    """Each output moves by at most the largest move in its window; windows that overlap share entries.

    With at most m windows over one entry: 1 in linf, sqrt(m) in l2, m in l1. m is a product over the axes. An input
    whose largest entry is that one attains them.
    """

    def geometry(self, node: Node, /) -> Geometry:
        """Max pool 3x3 /2 @28x28."""
        axes = _axes(node)
        kernel, stride, padding = _window(node, axes)
        words = f"max pool {'x'.join(map(str, kernel))} /{stride[0] if len(set(stride)) == 1 else stride}"
        where = _size(node.inputs[0].shape, axes)
        return Geometry(description=f"{words} @{where}", stride=tuple(stride), padding=tuple(padding))

    def constants(self, node: Node, /) -> dict[Norm, Enclosure] | None:
        """Exact ones where windows overlap; 1 is no news."""
        most = _most_windows(node)
        return {norm: copies_norm(most, norm) for norm in _NORMS} if most > 1 else None

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The bound above, with the windows counted at the real input size."""
        return product_up((copies_gain(_most_windows(node), norm), gains[0]))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The largest of each window's ends."""
        return largest_interval(_windows(node), inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """A plane on both sides of each window's maximum."""
        return largest_relaxation(_windows(node), inputs)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """None: a maximum is one of its arguments."""
        return 0.0


def _windows(node: Node) -> Windows:
    return sliding(node, max_pool_steps(node))


def max_pool_steps(node: Node) -> list[Step]:
    """Kernel, stride, padding and dilation of each axis."""
    axes = _axes(node)
    kernel, stride, padding = _window(node, axes)
    dilation = _each(argument(node, 4, "dilation", 1), axes)
    return list(zip(kernel, stride, padding, dilation, strict=True))


def _most_windows(node: Node) -> int:
    axes, source = _axes(node), node.inputs[0].shape
    kernel, stride, padding = _window(node, axes)
    dilation = _each(argument(node, 4, "dilation", 1), axes)
    return math.prod(
        _overlap(n, windows, k, (s, p, d))
        for n, windows, k, s, p, d in zip(
            source[-axes:], node.shape[-axes:], kernel, stride, padding, dilation, strict=True
        )
    )


def _overlap(size: int, windows: int, kernel: int, steps: tuple[int, int, int]) -> int:
    """The largest number of windows over one place of an axis; `steps` are stride, padding and dilation."""
    stride, padding, dilation = steps
    places = torch.arange(windows)[:, None] * stride + torch.arange(kernel) * dilation - padding
    inside = places[(places >= 0) & (places < size)]
    return int(torch.bincount(inside).max()) if inside.numel() else 0


@final
@rule("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
class AdaptiveMaxPooling(AbstractRule):
    """As max pooling, with the windows of adaptive average pooling."""

    def geometry(self, node: Node, /) -> Geometry:
        """Adaptive max pool 14x14->7x7."""
        axes = _axes(node)
        sizes = _size(node.inputs[0].shape, axes), _size(node.shape, axes)
        return Geometry(description=f"adaptive max pool {'->'.join(sizes)}")

    def constants(self, node: Node, /) -> dict[Norm, Enclosure] | None:
        """Exact ones where windows overlap."""
        most = _most_adaptive_windows(node)
        return {norm: copies_norm(most, norm) for norm in _NORMS} if most > 1 else None

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The same bound."""
        return product_up((copies_gain(_most_adaptive_windows(node), norm), gains[0]))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The largest of each window's ends."""
        return largest_interval(adaptive(node, _axes(node)), inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """A plane on both sides of each window's maximum."""
        return largest_relaxation(adaptive(node, _axes(node)), inputs)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """None: a maximum is one of its arguments."""
        return 0.0


def _most_adaptive_windows(node: Node) -> int:
    axes, source = _axes(node), node.inputs[0].shape
    pairs = zip(source[-axes:], node.shape[-axes:], strict=True)
    return math.prod(int((adaptive_average_matrix(n, w) > 0).sum(0).max()) for n, w in pairs)
