"""Pooling over windows and over whole planes.

torch pads both ends alike and can round the number of windows up. A window that reaches past the end sees
nothing there, so where padding does not count, any node whose windows start at torch's places is torch's pooling,
if need be with the last windows cut off. Only the rest is padded by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, Result, handler
from lipcert.load.onnx_ops.window import Window, pad_trailing, window_of

_MAX: dict[int, Callable[..., Any]] = {1: F.max_pool2d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE: dict[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def _counts(context: NodeContext, x: Tensor, window: Window) -> list[int]:
    """How many windows the node asks for along each axis; one that would start past the entries is dropped."""
    up = bool(context.get("ceil_mode", 0))
    axes = list(zip(x.shape[2:], window.extent, window.begin, window.end, strict=True))
    rooms = [size + before + after - extent for size, extent, before, after in axes]
    if min(rooms) < 0:
        raise context.refused(f"the window ({list(window.extent)}) is larger than the padded input")
    starts = [size + before for size, _, before, _ in axes]
    return [_count(*axis, up=up) for axis in zip(rooms, window.stride, starts, strict=True)]


def _count(room: int, step: int, last_start: int, *, up: bool) -> int:
    count = (-(-room // step) if up else room // step) + 1
    return count - 1 if up and (count - 1) * step >= last_start else count


def _native_ceiling(x: Tensor, window: Window, counts: list[int]) -> bool | None:
    """Torch's `ceil_mode` under which its windows cover those wanted; None where neither does."""
    if any(2 * before > kernel for before, kernel in zip(window.begin, window.kernel, strict=True)):
        return None
    for up in (False, True):
        axes = zip(x.shape[2:], window.extent, window.stride, window.begin, strict=True)
        native = [_count(size + 2 * before - extent, step, size + before, up=up) for size, extent, step, before in axes]
        if all(have >= want for have, want in zip(native, counts, strict=True)):
            return up
    return None


def _cut(y: Tensor, counts: list[int]) -> Tensor:
    """Y without the windows that were not asked for."""
    for axis, count in enumerate(counts, start=2):
        if y.shape[axis] != count:
            y = y.narrow(axis, 0, count)
    return y


def _filled(window: Window, x: Tensor, counts: list[int]) -> Window:
    """The window with its end padding grown to just cover `counts` windows."""
    axes = zip(counts, window.stride, window.extent, x.shape[2:], window.begin, strict=True)
    end = tuple(max((count - 1) * step + extent - size - before, 0) for count, step, extent, size, before in axes)
    return Window(kernel=window.kernel, stride=window.stride, dilation=window.dilation, begin=window.begin, end=end)


@handler("MaxPool")
def max_pool(context: NodeContext, x: Tensor) -> Result:
    """Largest entry of each window, and on request its place in the flattened input."""
    window = window_of(context, x, tuple(context.get("kernel_shape")))
    if len(window.kernel) not in _MAX:
        raise context.unsupported(f"pooling over {len(window.kernel)} axes")
    counts, dtype = _counts(context, x, window), x.dtype
    x = x if x.is_floating_point() else x.to(torch.float64)
    up = _native_ceiling(x, window, counts)
    if context.wants(1):
        if up is None:
            raise context.unsupported("places of the largest entries under this padding")
        values, places = _max(x, window, list(window.begin), up=up, places=True)
        return _cut(values, counts).to(dtype), _flat_places(context, x, _cut(places, counts))
    if up is None:
        filled = _filled(window, x, counts)
        x = pad_trailing(x, filled.begin, filled.end, -math.inf)
        return _cut(_max(x, window, [0] * len(counts), up=False)[0], counts).to(dtype)
    return _cut(_max(x, window, list(window.begin), up=up)[0], counts).to(dtype)


def _max(x: Tensor, window: Window, padding: list[int], *, up: bool, places: bool = False) -> tuple[Tensor, Tensor]:
    """Torch's pooling; one axis is pooled as a plane of height one, which is one operator fewer to know."""
    kernel, stride, dilation = list(window.kernel), list(window.stride), list(window.dilation)
    flat = len(kernel) == 1
    if flat:
        x, kernel, stride, padding, dilation = x.unsqueeze(2), [1, *kernel], [1, *stride], [0, *padding], [1, *dilation]
    result = _MAX[len(window.kernel)](x, kernel, stride, padding, dilation, up, return_indices=places)
    values, found = result if places else (result, result)
    return (values.squeeze(2), found.squeeze(2)) if flat else (values, found)


def _flat_places(context: NodeContext, x: Tensor, places: Tensor) -> Tensor:
    """Places within each plane as places within the whole tensor, planes in row or column order."""
    sizes = list(x.shape[2:])
    if context.get("storage_order", 0):
        strides = [math.prod(sizes[:axis]) for axis in range(len(sizes))]
        coordinates = [places // math.prod(sizes[axis + 1 :]) % size for axis, size in enumerate(sizes)]
        places = sum((c * s for c, s in zip(coordinates, strides, strict=True)), torch.zeros((), dtype=torch.int64))
    planes = torch.arange(x.shape[0] * x.shape[1]).reshape([x.shape[0], x.shape[1]] + [1] * len(sizes))
    return places + planes * math.prod(sizes)


@handler("MaxUnpool")
def max_unpool(context: NodeContext, x: Tensor, places: Tensor, _shape: Tensor | None = None) -> Tensor:
    """Entries put back where `places` says, zero elsewhere.

    Places count in the tensor that was pooled, also where a larger output is asked for.
    """
    kernel = context.get("kernel_shape")
    rank = len(kernel)
    stride, pads = context.get("strides", [1] * rank), context.get("pads", [0] * 2 * rank)
    sizes = [(x.shape[2 + i] - 1) * stride[i] + kernel[i] - pads[i] - pads[i + rank] for i in range(rank)]
    shape = [x.shape[0], x.shape[1], *sizes]
    flat = torch.zeros(math.prod(shape), dtype=x.dtype).scatter(0, places.reshape(-1), x.reshape(-1)).reshape(shape)
    target = context.integers(2)
    if target is None:
        return flat
    return pad_trailing(flat, (0,) * rank, tuple(t - s for t, s in zip(target[2:], sizes, strict=True)))


@handler("AveragePool")
def average_pool(context: NodeContext, x: Tensor) -> Tensor:
    """Mean of each window, over its entries alone or with the stated padding among them."""
    window = window_of(context, x, tuple(context.get("kernel_shape")))
    counts, include = _counts(context, x, window), bool(context.get("count_include_pad", 0))
    plain = set(window.dilation) == {1} and len(window.kernel) in _AVERAGE
    if plain and include and not window.symmetric:
        x = pad_trailing(x, window.begin, window.end)
        none = (0,) * len(window.kernel)
        window = Window(kernel=window.kernel, stride=window.stride, dilation=window.dilation, begin=none, end=none)
    up = _native_ceiling(x, window, counts) if plain else None
    if up is None:
        return _average_by_sums(x, window, counts, include=include)
    y = _AVERAGE[len(counts)](x, window.kernel, window.stride, window.begin, up, include)
    return _cut(y, counts)


def _average_by_sums(x: Tensor, window: Window, counts: list[int], *, include: bool) -> Tensor:
    """Sums of windows over the number of entries in each."""
    ones = torch.ones([1, 1, *x.shape[2:]], dtype=x.dtype)
    if include:
        ones = pad_trailing(ones, window.begin, window.end, 1.0)
        none = (0,) * len(window.kernel)
        bare = Window(kernel=window.kernel, stride=window.stride, dilation=window.dilation, begin=none, end=none)
        entries = _window_sums(ones, _filled(bare, ones, counts), counts)
    else:
        entries = _window_sums(ones, _filled(window, ones, counts), counts)
    return _window_sums(x, _filled(window, x, counts), counts) * torch.reciprocal(entries)


def _window_sums(x: Tensor, window: Window, counts: list[int]) -> Tensor:
    """Sum of each window, as a convolution of every channel with ones."""
    x = pad_trailing(x, window.begin, window.end)
    channels, rank = x.shape[1], len(window.kernel)
    ones = torch.ones([channels, 1, *window.kernel], dtype=x.dtype)
    y = torch.convolution(x, ones, None, window.stride, [0] * rank, window.dilation, False, [0] * rank, channels)
    return _cut(y, counts)


@handler("LpPool")
def lp_pool(context: NodeContext, x: Tensor) -> Tensor:
    """p-norm of each window."""
    window = window_of(context, x, tuple(context.get("kernel_shape")))
    counts, order = _counts(context, x, window), context.get("p", 2)
    powers = x * x if order == 2 else torch.pow(torch.abs(x), order)
    sums = _window_sums(powers, _filled(window, x, counts), counts)
    return torch.sqrt(sums) if order == 2 else torch.pow(sums, 1 / order)


@handler("GlobalAveragePool")
def global_average_pool(_context: NodeContext, x: Tensor) -> Tensor:
    """Mean of each plane."""
    return x.mean(list(range(2, x.ndim)), keepdim=True)


@handler("GlobalMaxPool")
def global_max_pool(_context: NodeContext, x: Tensor) -> Tensor:
    """Largest entry of each plane."""
    return x.amax(list(range(2, x.ndim)), keepdim=True)


@handler("GlobalLpPool")
def global_lp_pool(context: NodeContext, x: Tensor) -> Tensor:
    """p-norm of each plane."""
    norm: Tensor = torch.linalg.vector_norm(x, context.get("p", 2), list(range(2, x.ndim)), keepdim=True)
    return norm
