"""Links of a linear chain made one where that is exact up to a rounding: padding, scales and 1x1 convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lipcert.operators.base import AbstractLinearOperator
from lipcert.operators.convolution import ConvolutionOperator
from lipcert.operators.dense import DenseOperator
from lipcert.operators.diagonal import DiagonalOperator
from lipcert.operators.gather import GatherOperator


def fused(links: Sequence[AbstractLinearOperator]) -> tuple[AbstractLinearOperator, ...]:
    """Fewer operators with the same product; none is left where all of them only reshape."""
    parts: list[AbstractLinearOperator] = []
    for link in links:
        if _reshapes(link):
            continue
        joined = _joined(parts[-1], link) if parts else None
        if joined is None:
            parts.append(link)
        else:
            parts[-1] = joined
    return tuple(parts)


def one_pixel(parts: Sequence[AbstractLinearOperator]) -> tuple[DenseOperator, ...] | None:
    """The matrices of one pixel, where all parts are 1x1 convolutions of one size: the same matrix acts on every pixel.

    The chain is the Kronecker product of theirs with the identity, so all induced norms are those of one pixel.
    """
    found = [part for part in parts if isinstance(part, ConvolutionOperator) and _pointwise(part)]
    if len(found) < len(parts) or len({part.size for part in found}) != 1:
        return None
    return tuple(DenseOperator(part.weight.flatten(1)) for part in found)


def keeps_norms(link: AbstractLinearOperator) -> bool:
    """Whether the link multiplies every length by one number: a permutation, or one scale for all."""
    if isinstance(link, DiagonalOperator):
        return bool((link.scale == link.scale.flatten()[0]).all())
    if not isinstance(link, GatherOperator) or link.in_size != link.out_size:
        return False
    return link.copies == 1 and bool((link.index >= 0).all())


def _reshapes(link: AbstractLinearOperator) -> bool:
    if isinstance(link, DiagonalOperator):
        return bool((link.scale == 1.0).all())
    if not isinstance(link, GatherOperator) or link.in_size != link.out_size:
        return False
    return bool((link.index == torch.arange(link.in_size, device=link.index.device)).all())


def _pointwise(part: ConvolutionOperator) -> bool:
    one = set(part.kernel) == {1} and set(part.stride) == {1} and part.groups == 1
    return one and part.outputs == part.size and all(pair == (0, 0) for pair in part.padding)


def _joined(first: AbstractLinearOperator, second: AbstractLinearOperator) -> AbstractLinearOperator | None:
    """The two as one convolution; None where they are not of these kinds."""
    match first, second:
        case GatherOperator(), ConvolutionOperator():
            return _padded(first, second)
        case DiagonalOperator(), ConvolutionOperator():
            scale = _by_channel(first, second.in_shape)
            if scale is None:
                return None
            each = scale.reshape(second.groups, 1, -1).expand(-1, len(second.weight) // second.groups, -1).flatten(0, 1)
            return _rescaled(second, each, first)
        case ConvolutionOperator(), DiagonalOperator():
            scale = _by_channel(second, first.out_shape)
            return None if scale is None else _rescaled(first, scale[:, None], second)
    return None


def _rescaled(layer: ConvolutionOperator, scale: Tensor, diagonal: DiagonalOperator) -> ConvolutionOperator:
    """One more factor, and one more rounding, an entry."""
    spread = scale.reshape(*scale.shape, *[1] * len(layer.size)).to(layer.device)
    result = layer.with_weight(layer.weight * spread)
    result.depth = layer.depth + diagonal.depth
    return result


def _by_channel(diagonal: DiagonalOperator, shape: torch.Size) -> Tensor | None:
    """The scale of each channel of an image (channels, *size); None where it differs from place to place."""
    if diagonal.in_size != shape.numel():
        return None
    scale = diagonal.scale.expand(diagonal.in_shape).reshape(shape[0], -1)
    return scale[:, 0] if bool((scale == scale[:, :1]).all()) else None


def _padded(padding: GatherOperator, layer: ConvolutionOperator) -> ConvolutionOperator | None:
    """The convolution with the zeros that the gather puts around its input; None where it does anything else."""
    inside = (padding.index >= 0).reshape(layer.in_shape)
    amounts = []
    for axis, size in enumerate(layer.size, start=1):
        places = inside.movedim(axis, 0).flatten(1).any(1).nonzero().flatten()
        if not len(places):
            return None
        amounts.append((int(places[0]), size - 1 - int(places[-1])))
    sizes = [n - sum(pair) for n, pair in zip(layer.size, amounts, strict=True)]
    channels = layer.in_shape[0]
    if padding.in_size != channels * math.prod(sizes):
        return None
    numbers = torch.arange(padding.in_size, device=padding.index.device).reshape(channels, *sizes)
    expected = F.pad(numbers, [n for pair in reversed(amounts) for n in pair], value=-1)
    if not expected.flatten().equal(padding.index):
        return None
    result = ConvolutionOperator(
        layer.weight,
        sizes,
        stride=layer.stride,
        padding=[(b + p, a + q) for (b, a), (p, q) in zip(amounts, layer.padding, strict=True)],
        dilation=layer.dilation,
        groups=layer.groups,
        outputs=layer.outputs,
    )
    result.depth = layer.depth
    return result
