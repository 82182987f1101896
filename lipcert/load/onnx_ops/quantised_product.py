"""Products of quantised tensors: exact in float64 when faithful, dequantised in the float reading."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, Quantised, Value, handler
from lipcert.load.onnx_ops.convolution import convolve
from lipcert.load.onnx_ops.quantised import along, quantise, real_of

Product = Callable[[Tensor, Tensor], Tensor]


def _centred(context: NodeContext, position: int, zero_point: Tensor | None, axis: int) -> Tensor:
    """The factor at `position` less its zero point: in float64, or in float32 in the float reading."""
    value = context.inputs[position]
    assert value is not None
    value = value.stored if isinstance(value, Quantised) else value
    wide = value.to(torch.float64) if context.rounded or not value.is_floating_point() else value
    centred = wide if zero_point is None else wide - along(zero_point, wide, axis).to(wide.dtype)
    return centred if context.rounded or value.is_floating_point() else centred.to(torch.float32)


def _counted(context: NodeContext, product: Tensor) -> Tensor:
    """A product as the integers the file states, or as it is in the float reading."""
    return product.to(torch.int32) if context.rounded or not any(context.live) else product


@handler("ConvInteger")
def convolve_integers(
    context: NodeContext, _x: Value, _weight: Tensor, x_zero: Tensor | None = None, weight_zero: Tensor | None = None
) -> Tensor:
    """Convolution of integers less their zero points."""
    x, weight = _centred(context, 0, x_zero, 1), _centred(context, 1, weight_zero, 0)
    return _counted(context, convolve(context, x, weight))


@handler("MatMulInteger")
def multiply_integers(
    context: NodeContext, _a: Value, _b: Value, a_zero: Tensor | None = None, b_zero: Tensor | None = None
) -> Tensor:
    """Matrix product of integers less their zero points."""
    a, b = _centred(context, 0, a_zero, -2), _centred(context, 1, b_zero, -1)
    return _counted(context, torch.matmul(a, b))


def _real(context: NodeContext, position: int, axis: int) -> Tensor:
    """The real numbers of the factor at `position`, its scale and zero point being the next two inputs."""
    value, scale, zero = context.inputs[position : position + 3]
    assert value is not None
    assert isinstance(scale, Tensor)
    assert isinstance(zero, Tensor)
    shaped = value.real if isinstance(value, Quantised) else value
    dtype = torch.float64 if context.rounded else torch.float32
    return real_of(value, along(scale.to(dtype), shaped, axis), along(zero, shaped, axis))


def _stored(context: NodeContext, real: Tensor, position: int, axis: int = 1) -> Value:
    """A real result quantised with the scale and zero point at `position`."""
    scale, zero = context.inputs[position : position + 2]
    assert isinstance(scale, Tensor)
    assert isinstance(zero, Tensor)
    fixed = not any(context.live[position : position + 2])
    scale, shifted = along(scale.to(real.dtype), real, axis), along(zero, real, axis)
    return quantise(context, real, scale, shifted, zero.dtype, fixed=fixed)


@handler("QLinearConv")
def convolve_quantised(context: NodeContext, *inputs: Value) -> Value:
    """Convolution of quantised factors, with a bias in steps of the product of their scales."""
    x, weight = _real(context, 0, 1), _real(context, 3, 0)
    bias = inputs[8] if len(inputs) > 8 else None
    if bias is None:
        return _stored(context, convolve(context, x, weight), 6)
    x_scale, weight_scale = inputs[1], inputs[4]
    assert isinstance(bias, Tensor)
    assert isinstance(x_scale, Tensor)
    assert isinstance(weight_scale, Tensor)
    bias = bias.to(x.dtype) * (x_scale.to(x.dtype).reshape(()) * weight_scale.to(x.dtype).reshape(-1))
    return _stored(context, convolve(context, x, weight, bias), 6)


@handler("QLinearMatMul")
def multiply_quantised(context: NodeContext, *_inputs: Value) -> Value:
    """Matrix product of quantised factors."""
    return _stored(context, torch.matmul(_real(context, 0, -2), _real(context, 3, -1)), 6, -2)


@handler("QGemm", domain="com.microsoft")
def gemm_quantised(context: NodeContext, *inputs: Value | None) -> Value:
    """Alpha a b + c of quantised factors; c counts in steps of alpha times the product of their scales."""
    a, b = _real(context, 0, 0), _real(context, 3, 0 if context.get("transB") else 1)
    product = torch.matmul(a.T if context.get("transA") else a, b.T if context.get("transB") else b)
    product = product * context.get("alpha", 1.0)
    bias = inputs[6] if len(inputs) > 6 else None
    if bias is not None:
        a_scale, b_scale = inputs[1], inputs[4]
        assert isinstance(bias, Tensor)
        assert isinstance(a_scale, Tensor)
        assert isinstance(b_scale, Tensor)
        step = a_scale.to(product.dtype) * b_scale.to(product.dtype) * context.get("alpha", 1.0)
        product = product + bias.to(product.dtype) * step
    return _stored(context, product, 7) if len(inputs) > 7 and inputs[7] is not None else product.to(torch.float32)


def _binary(function: Product) -> Callable[..., Value]:
    """A handler of two quantised operands with a scale and zero point each."""

    def handle(context: NodeContext, *_inputs: Value) -> Value:
        return _stored(context, function(_real(context, 0, 1), _real(context, 3, 1)), 6)

    return handle


handler("QLinearAdd", domain="com.microsoft")(_binary(torch.add))
handler("QLinearMul", domain="com.microsoft")(_binary(torch.mul))


def _unary(function: Callable[[NodeContext, Tensor], Tensor]) -> Callable[..., Value]:
    """A handler of one quantised operand."""

    def handle(context: NodeContext, *_inputs: Value) -> Value:
        return _stored(context, function(context, _real(context, 0, 1)), 3)

    return handle


def _mean_of_planes(context: NodeContext, x: Tensor) -> Tensor:
    if context.get("channels_last", 0):
        return x.mean(list(range(1, x.ndim - 1)), keepdim=True)
    return x.mean(list(range(2, x.ndim)), keepdim=True)


handler("QLinearSigmoid", domain="com.microsoft")(_unary(lambda _context, x: torch.sigmoid(x)))
handler("QLinearGlobalAveragePool", domain="com.microsoft")(_unary(_mean_of_planes))
handler("QLinearLeakyRelu", domain="com.microsoft")(
    _unary(lambda context, x: torch.nn.functional.leaky_relu(x, context.get("alpha", 0.01)))
)


@handler("QLinearConcat", domain="com.microsoft")
def concatenate_quantised(context: NodeContext, *inputs: Value) -> Value:
    """Quantised tensors joined along an axis under one scale."""
    pieces = [_real(context, position, 1) for position in range(2, len(inputs), 3)]
    return _stored(context, torch.cat(pieces, context.get("axis")), 0)
