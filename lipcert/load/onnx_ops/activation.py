"""Activations, each as the torch operator that is known downstream."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lipcert.load.onnx_ops.base import Handler, NodeContext, axis_of, handler, pointwise

SELU_ALPHA, SELU_GAMMA = 1.6732632423543772, 1.0507009873554805

pointwise(
    HardSwish=F.hardswish,
    Mish=F.mish,
    Relu=torch.relu,
    Sigmoid=torch.sigmoid,
    Softplus=F.softplus,
    Softsign=F.softsign,
    Tanh=torch.tanh,
)


@handler("LeakyRelu")
def leaky_relu(context: NodeContext, x: Tensor) -> Tensor:
    """max(x, alpha x) for alpha below one."""
    return F.leaky_relu(x, context.get("alpha", 0.01))


@handler("Elu")
def elu(context: NodeContext, x: Tensor) -> Tensor:
    """x, or alpha (exp x - 1) below zero."""
    return F.elu(x, context.get("alpha", 1.0))


@handler("Celu")
def celu(context: NodeContext, x: Tensor) -> Tensor:
    """x, or alpha (exp(x / alpha) - 1) below zero."""
    return F.celu(x, context.get("alpha", 1.0))


@handler("Selu")
def selu(context: NodeContext, x: Tensor) -> Tensor:
    """Scaled elu; the constants of the paper, stated to float32, are read as torch's."""
    alpha, gamma = context.get("alpha", SELU_ALPHA), context.get("gamma", SELU_GAMMA)
    if context.version < 6 and "alpha" not in context.attributes:
        alpha, gamma = 1.6732, context.get("gamma", 1.0507)
    if math.isclose(alpha, SELU_ALPHA, rel_tol=1e-7) and math.isclose(gamma, SELU_GAMMA, rel_tol=1e-7):
        return F.selu(x)
    scaled: Tensor = torch.ops.aten.elu(x, alpha, gamma, 1.0)
    return scaled


@handler("ThresholdedRelu")
def thresholded_relu(context: NodeContext, x: Tensor) -> Tensor:
    """The identity above alpha, zero up to it."""
    return F.threshold(x, context.get("alpha", 1.0), 0.0)


@handler("HardSigmoid")
def hard_sigmoid(context: NodeContext, x: Tensor) -> Tensor:
    """clamp(alpha x + beta, 0, 1)."""
    alpha, beta = context.get("alpha", 0.2), context.get("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-7) and beta == 0.5:
        return F.hardsigmoid(x)
    return torch.clamp(alpha * x + beta, 0, 1)


@handler("Shrink")
def shrink(context: NodeContext, x: Tensor) -> Tensor:
    """Zero within lambd of zero, x moved towards zero by bias beyond."""
    edge, bias = context.get("lambd", 0.5), context.get("bias", 0.0)
    if edge == bias and x.is_floating_point():
        return F.softshrink(x, edge)
    zero = torch.zeros((), dtype=x.dtype)
    return torch.where(x < -edge, (x + bias).to(x.dtype), torch.where(x > edge, (x - bias).to(x.dtype), zero))


@handler("Gelu")
def gelu(context: NodeContext, x: Tensor) -> Tensor:
    """The input times the normal distribution function at x, or its tanh form."""
    return F.gelu(x, approximate=context.get("approximate", "none"))


@handler("Swish")
def swish(context: NodeContext, x: Tensor) -> Tensor:
    """The input times sigmoid(alpha x)."""
    alpha = context.get("alpha", 1.0)
    return F.silu(x) if alpha == 1.0 else x * torch.sigmoid(alpha * x)


@handler("SwiGLU")
def swiglu(context: NodeContext, x: Tensor, gate: Tensor | None = None) -> Tensor:
    """swish(first half) times second half along the split axis, or of two inputs."""
    if gate is None:
        x, gate = torch.chunk(x, 2, axis_of(x, context.get("axis", -1)))
    return swish(context, x) * gate


@handler("PRelu")
def prelu(context: NodeContext, x: Tensor, slope: Tensor) -> Tensor:
    """x, or slope x below zero; the slope broadcasts to x (before operator set 7: along axis 1)."""
    if not x.is_floating_point():
        return torch.where(x < 0, x * slope, x)
    if context.version < 7 and slope.ndim == 1 and slope.numel() > 1:
        slope = slope.reshape([-1] + [1] * (x.ndim - 2))
    y: Tensor = torch.ops.aten._prelu_kernel(x, slope)
    return y


def _along_axis(function: Callable[[Tensor, int], Tensor]) -> Handler:
    """A handler that normalises along an axis; before operator set 13, over all axes from it on."""

    def handle(context: NodeContext, x: Tensor) -> Tensor:
        if context.version >= 13:
            return function(x, context.get("axis", -1))
        axis = axis_of(x, context.get("axis", 1))
        if math.prod(x.shape[axis + 1 :]) == 1 and axis < x.ndim:
            return function(x, axis)
        return function(x.reshape([*x.shape[:axis], -1]), axis).reshape(x.shape)

    return handle


def _hardmax(x: Tensor, axis: int) -> Tensor:
    places = torch.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    largest: Tensor = x.argmax(axis, keepdim=True) == places
    return largest.to(x.dtype)


handler("Softmax")(_along_axis(torch.softmax))
handler("LogSoftmax")(_along_axis(torch.log_softmax))
handler("Hardmax")(_along_axis(lambda x, axis: _hardmax(x, axis_of(x, axis))))
