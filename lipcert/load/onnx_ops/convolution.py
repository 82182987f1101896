"""Convolutions, all as `aten.convolution`."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, handler
from lipcert.load.onnx_ops.window import Window, halves, pad_trailing, padding_of, window_of


@handler("Conv")
def convolve(context: NodeContext, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Cross-correlation with a weight of shape (out, in / groups, *kernel)."""
    window = window_of(context, x, tuple(weight.shape[2:]))
    if not window.symmetric:
        x = pad_trailing(x, window.begin, window.end)
    padding = list(window.begin) if window.symmetric else [0] * len(window.kernel)
    return torch.convolution(
        x, weight, bias, window.stride, padding, window.dilation, False, [0] * len(padding), context.get("group", 1)
    )


@handler("ConvTranspose")
def convolve_transposed(context: NodeContext, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The adjoint of a convolution whose weight has shape (in, out / groups, *kernel)."""
    window, extra = _transposed_window(context, x, weight)
    rank, groups = len(window.kernel), context.get("group", 1)
    small = all(e < max(s, d) for e, s, d in zip(extra, window.stride, window.dilation, strict=True))
    if window.symmetric and small and min(window.begin) >= 0:
        return torch.convolution(
            x, weight, bias, window.stride, list(window.begin), window.dilation, True, extra, groups
        )
    full = torch.convolution(x, weight, None, window.stride, [0] * rank, window.dilation, True, [0] * rank, groups)
    begin = tuple(-amount for amount in window.begin)
    end = tuple(more - amount for more, amount in zip(extra, window.end, strict=True))
    y = pad_trailing(full, begin, end)
    return y if bias is None else y + bias.reshape([1, -1] + [1] * rank)


def _transposed_window(context: NodeContext, x: Tensor, weight: Tensor) -> tuple[Window, list[int]]:
    """The window of a transposed convolution and its output padding; an output shape asked for settles both."""
    kernel = tuple(weight.shape[2:])
    rank = len(kernel)
    stride = tuple(context.get("strides", [1] * rank))
    dilation = tuple(context.get("dilations", [1] * rank))
    extra = list(context.get("output_padding", [0] * rank))
    automatic = context.get("auto_pad", "NOTSET")
    target = context.get("output_shape")
    if target is None and not automatic.startswith("SAME"):
        begin, end = padding_of(context, tuple(x.shape[2:]), kernel, stride, dilation)
        return Window(kernel=kernel, stride=stride, dilation=dilation, begin=begin, end=end), extra
    sizes = list(target)[-rank:] if target else [n * s for n, s in zip(x.shape[2:], stride, strict=True)]
    totals = []
    for i in range(rank):
        surplus = stride[i] * (x.shape[2 + i] - 1) + extra[i] + (kernel[i] - 1) * dilation[i] + 1 - sizes[i]
        extra[i] -= min(surplus, 0)
        totals.append(max(surplus, 0))
    begin, end = halves(totals, upper=automatic == "SAME_UPPER")
    return Window(kernel=kernel, stride=stride, dilation=dilation, begin=begin, end=end), extra


@handler("Col2Im")
def columns_to_image(context: NodeContext, x: Tensor, _image: Tensor, _block: Tensor) -> Tensor:
    """Blocks summed into the image they were cut from: the adjoint of cutting, by a transposed convolution."""
    image, block = context.integers(1) or [], context.integers(2) or []
    rank = len(block)
    pads = list(context.get("pads", [0] * 2 * rank))
    stride, dilation = context.get("strides", [1] * rank), context.get("dilations", [1] * rank)
    cells = torch.Size(block).numel()
    extent = [(k - 1) * d + 1 for k, d in zip(block, dilation, strict=True)]
    counts = [(image[i] + pads[i] + pads[i + rank] - extent[i]) // stride[i] + 1 for i in range(rank)]
    channels = x.shape[1] // cells
    grid = x.reshape([x.shape[0] * channels, cells, *counts])
    weight = torch.eye(cells, dtype=x.dtype).reshape([cells, 1, *block])
    full = torch.convolution(grid, weight, None, stride, [0] * rank, dilation, True, [0] * rank, 1)
    end = tuple(image[i] + pads[i] - full.shape[2 + i] for i in range(rank))
    return pad_trailing(full, tuple(-p for p in pads[:rank]), end).reshape([x.shape[0], channels, *image])
