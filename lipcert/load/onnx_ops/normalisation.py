"""Normalisation layers in inference."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, Result, axis_of, handler

DEFAULT_EPSILON = 1e-5


@handler("BatchNormalization")
def batch_norm(context: NodeContext, x: Tensor, *parameters: Tensor) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) scale + bias with stored statistics, per channel or per entry."""
    scale, bias, mean, variance = parameters
    training = context.get("training_mode", 0) or (context.version < 7 and not context.get("is_test", 0))
    if training and any(context.wants(output) for output in range(1, 5)):
        raise context.refused("batch normalisation in training mode mixes samples; export the model in inference mode")
    epsilon = context.get("epsilon", DEFAULT_EPSILON)
    if context.version < 9 and not context.get("spatial", 1) and scale.ndim > 1:
        return (x - mean) * (scale * torch.rsqrt(variance + epsilon)) + bias
    if x.ndim == 1:
        raise context.refused(f"batch normalisation needs a channel axis, got shape {list(x.shape)}")
    return F.batch_norm(x, mean, variance, scale, bias, False, 0.0, epsilon)


@handler("InstanceNormalization")
def instance_norm(context: NodeContext, x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Each plane to mean zero and variance one: a group norm of one channel a group, which keeps samples apart."""
    return F.group_norm(x, x.shape[1], scale, bias, context.get("epsilon", DEFAULT_EPSILON))


@handler("GroupNormalization")
def group_norm(context: NodeContext, x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Each group of channels to mean zero and variance one; before operator set 21 scale and bias are per group."""
    groups = context.get("num_groups")
    if context.version < 21:
        scale, bias = (value.repeat_interleave(x.shape[1] // groups) for value in (scale, bias))
    return F.group_norm(x, groups, scale, bias, context.get("epsilon", DEFAULT_EPSILON))


@handler("LayerNormalization")
def layer_norm(context: NodeContext, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Result:
    """Each sample's trailing axes to mean zero and variance one; mean and inverse deviation on request."""
    axis, epsilon = axis_of(x, context.get("axis", -1)), context.get("epsilon", DEFAULT_EPSILON)
    shape = list(x.shape[axis:])
    scale = scale if list(scale.shape) == shape else scale.expand(shape)
    bias = bias if bias is None or list(bias.shape) == shape else bias.expand(shape)
    if not (context.wants(1) or context.wants(2)):
        return F.layer_norm(x, shape, scale, bias, epsilon)
    y, mean, inverse = torch.native_layer_norm(x, shape, scale, bias, epsilon)
    return y, mean, inverse


@handler("RMSNormalization", "SimplifiedLayerNormalization")
def rms_norm(context: NodeContext, x: Tensor, scale: Tensor) -> Tensor:
    """Each sample's trailing axes to mean square one."""
    axis = axis_of(x, context.get("axis", -1))
    square = (x * x).mean(list(range(axis, x.ndim)), keepdim=True)
    return x * torch.rsqrt(square + context.get("epsilon", DEFAULT_EPSILON)) * scale


@handler("MeanVarianceNormalization")
def mean_variance_norm(context: NodeContext, x: Tensor) -> Tensor:
    """The input to mean zero and variance one over some axes, by default all but the channels."""
    axes = list(context.get("axes", [0, 2, 3]))
    if context.live[0] and 0 in [axis_of(x, axis) for axis in axes] and (context.running_batch or 1) > 1:
        raise context.refused("it normalises over the batch axis, so a sample's result depends on the others")
    centred = x - x.mean(axes, keepdim=True)
    return centred / (torch.sqrt((centred * centred).mean(axes, keepdim=True)) + 1e-9)


@handler("LRN")
def local_response_norm(context: NodeContext, x: Tensor) -> Tensor:
    """The input over a power of the squares summed across neighbouring channels."""
    size = context.get("size")
    squares = F.pad((x * x).flatten(2).unsqueeze(1), [0, 0, (size - 1) // 2, size // 2])
    mean = F.avg_pool2d(squares, (size, 1), stride=1).squeeze(1).reshape(x.shape)
    scaled = mean * context.get("alpha", 1e-4) + context.get("bias", 1.0)
    return x / torch.pow(scaled, context.get("beta", 0.75))


@handler("LpNormalization")
def lp_norm(context: NodeContext, x: Tensor) -> Tensor:
    """The input over its p-norm along an axis; zero stays zero."""
    norm = torch.linalg.vector_norm(x, context.get("p", 2), context.get("axis", -1), keepdim=True)
    return x / torch.where(norm == 0, torch.ones((), dtype=x.dtype), norm)
