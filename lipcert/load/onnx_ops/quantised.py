"""Quantised operators, as they are and as the real functions they stand for.

In the faithful reading a value is the integer the file computes, in float64 inside a product so that sums are
exact. In the float reading nothing is rounded: a live quantised value is the real number it stands for, clamped
to what the integers can represent. The clamp stays because exporters drop an activation (Relu, Clip) whose
effect it has, and because it keeps the two readings within half a step of each other at every quantiser.
Constants are dequantised exactly, so weights keep their rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, Quantised, Result, Value, axis_of, entries, handler
from lipcert.load.onnx_tensor import DTYPES

INTEGERS = (torch.uint8, torch.int8, torch.uint16, torch.int16, torch.int32)


def along(parameter: Tensor, x: Tensor, axis: int) -> Tensor:
    """A scale or zero point of one entry, or of one an index of `axis`, shaped to broadcast with x."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    if parameter.ndim > 1:
        return parameter
    return parameter.reshape([-1 if i == axis_of(x, axis) else 1 for i in range(x.ndim)])


def spread(context: NodeContext, parameter: Tensor, x: Tensor) -> Tensor:
    """A scale or zero point shaped to broadcast with x; one a block is repeated over its block."""
    block, axis = context.get("block_size", 0), context.get("axis", 1)
    if not block or parameter.ndim != x.ndim:
        return along(parameter, x, axis)
    axis = axis_of(x, axis)
    return parameter.repeat_interleave(block, axis).narrow(axis, 0, x.shape[axis])


def real_of(value: Value, scale: Tensor, zero_point: Tensor) -> Tensor:
    """The real numbers a quantised value stands for under a scale and zero point that broadcast with it."""
    if isinstance(value, Quantised):
        single = scale.numel() == 1 and zero_point.numel() == 1
        if single and (value.scale, value.zero_point) == (entries(scale)[0], entries(zero_point)[0]):
            return value.real
        value = value.stored
    return (value.to(scale.dtype) - zero_point.to(scale.dtype)) * scale


def quantise(
    context: NodeContext, real: Tensor, scale: Tensor, zero_point: Tensor, dtype: torch.dtype, *, fixed: bool = True
) -> Value:
    """A real tensor as integers of `dtype`, or clamped to what they represent in the float reading.

    `fixed` says that scale and zero point are constants.
    """
    limits = torch.iinfo(dtype)
    if context.rounded or not any(context.live):
        steps = torch.round(real / scale) + zero_point.to(real.dtype)
        return torch.clamp(steps, limits.min, limits.max).to(dtype)
    if fixed and scale.numel() == 1:
        step, zero = entries(scale)[0], entries(zero_point)[0]
        return Quantised(torch.clamp(real, (limits.min - zero) * step, (limits.max - zero) * step), step, zero)
    return torch.clamp(real / scale + zero_point.to(real.dtype), limits.min, limits.max)


@handler("QuantizeLinear")
@handler("QuantizeLinear", domain="com.microsoft")
def quantize_linear(context: NodeContext, x: Tensor, scale: Tensor, zero_point: Tensor | None = None) -> Value:
    """The input over scale, rounded to even and moved by the zero point."""
    code = context.get("output_dtype", 0)
    dtype = zero_point.dtype if zero_point is not None else DTYPES.get(code, torch.uint8)
    if dtype not in INTEGERS or (code and code not in DTYPES):
        raise context.unsupported("quantisation to anything but integers of 8 or 16 bits")
    zero = torch.zeros((), dtype=dtype) if zero_point is None else spread(context, zero_point, x)
    fixed = not any(context.live[1:])
    return quantise(context, x, spread(context, scale, x).to(x.dtype), zero, dtype, fixed=fixed)


@handler("DequantizeLinear")
@handler("DequantizeLinear", domain="com.microsoft")
def dequantize_linear(context: NodeContext, x: Value, scale: Tensor, zero_point: Tensor | None = None) -> Tensor:
    """(x - zero point) times scale."""
    shaped = x.real if isinstance(x, Quantised) else x
    zero = torch.zeros((), dtype=torch.int32) if zero_point is None else spread(context, zero_point, shaped)
    return real_of(x, spread(context, scale, shaped), zero)


@handler("DynamicQuantizeLinear")
def dynamic_quantize_linear(context: NodeContext, x: Tensor) -> Result:
    """The input in 256 steps between its extremes and zero; the input itself, at scale 1, in the float reading."""
    if not context.rounded and context.live[0]:
        return x, torch.ones((), dtype=torch.float32), None
    axes = list(range(1 if context.per_sample else 0, x.ndim))
    lower = x.amin(axes, keepdim=context.per_sample).clamp(max=0)
    upper = x.amax(axes, keepdim=context.per_sample).clamp(min=0)
    scale = (upper - lower) / 255
    scale = torch.where(scale == 0, torch.ones((), dtype=x.dtype), scale)
    zero = torch.clamp(torch.round(-lower / scale), 0, 255)
    return torch.clamp(torch.round(x / scale) + zero, 0, 255).to(torch.uint8), scale, zero.to(torch.uint8)
