"""Convolution of a batch of small images as one matrix product.

torch multiplies image by image in float64, and an image of few places uses a wide kernel matrix badly. Here the places
of all images are columns of the same product. The numbers multiplied and summed are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

# Outputs of an image beyond which torch's own way is as quick.
_PLACES = 64


def batch_pays(x: Tensor, outputs: Sequence[int]) -> bool:
    """Whether the product is quicker: more than one image, of few places on two axes, on the CPU in float64."""
    few = len(outputs) == 2 and outputs[0] * outputs[1] <= _PLACES
    return few and len(x) > 1 and x.is_cpu and x.element_size() == 8


def convolve_batch(
    padded: Tensor, weight: Tensor, outputs: Sequence[int], *, stride: Sequence[int], dilation: Sequence[int]
) -> Tensor:
    """The convolution without further padding: (N, channels, *size) -> (N, filters, *full outputs)."""
    patches = F.unfold(padded, tuple(weight.shape[2:]), dilation=tuple(dilation), stride=tuple(stride))
    columns = patches.transpose(0, 1).flatten(1)
    return (weight.flatten(1) @ columns).reshape(len(weight), len(padded), *outputs).transpose(0, 1)


def spread_batch(y: Tensor, weight: Tensor, *, stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """The adjoint of `convolve_batch`, as large as the taps reach: (N, filters, *outputs) -> (N, channels, *size)."""
    kernel = tuple(weight.shape[2:])
    axes = zip(y.shape[2:], stride, dilation, kernel, strict=True)
    reach = tuple((o - 1) * s + d * (k - 1) + 1 for o, s, d, k in axes)
    columns = weight.flatten(1).T @ y.transpose(0, 1).flatten(1)
    patches = columns.reshape(len(columns), len(y), -1).transpose(0, 1)
    return F.fold(patches, reach, kernel, dilation=tuple(dilation), stride=tuple(stride))
