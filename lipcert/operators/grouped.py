"""Grouped convolution tap by tap: torch's own loops over the groups, which in float64 is slow for many of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from types import EllipsisType

import torch
from torch import Tensor

_AXES = "xyz"


def convolve_groups(
    padded: Tensor,
    weight: Tensor,
    outputs: Sequence[int],
    *,
    stride: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    """The convolution without further padding: (N, channels, *size) -> (N, filters, *outputs)."""
    x = padded.reshape(len(padded), groups, -1, *padded.shape[2:])
    kernel = weight.reshape(groups, -1, *weight.shape[1:])
    axes = _AXES[: len(outputs)]
    y = torch.zeros(len(x), *kernel.shape[:2], *outputs, dtype=x.dtype, device=x.device)
    for tap_weight, place in _taps(kernel, outputs, stride, dilation):
        y += torch.einsum(f"goi,ngi{axes}->ngo{axes}", tap_weight, x[place])
    return y.flatten(1, 2)


def spread_groups(
    y: Tensor, weight: Tensor, size: Sequence[int], *, stride: Sequence[int], dilation: Sequence[int], groups: int
) -> Tensor:
    """The adjoint of `convolve_groups`: (N, filters, *outputs) -> (N, channels, *size)."""
    outputs = y.shape[2:]
    grouped = y.reshape(len(y), groups, -1, *outputs)
    kernel = weight.reshape(groups, -1, *weight.shape[1:])
    axes = _AXES[: len(outputs)]
    x = torch.zeros(len(y), groups, weight.shape[1], *size, dtype=y.dtype, device=y.device)
    for tap_weight, place in _taps(kernel, outputs, stride, dilation):
        window = x[place]
        window += torch.einsum(f"goi,ngo{axes}->ngi{axes}", tap_weight, grouped)
    return x.flatten(1, 2)


def _taps(
    kernel: Tensor, outputs: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Iterator[tuple[Tensor, tuple[EllipsisType | slice, ...]]]:
    """(groups, out, in) weights of each tap, and the places of the padded input that it reads."""
    taps = itertools.product(*map(range, kernel.shape[3:]))
    for tap, weights in zip(taps, kernel.flatten(3).unbind(-1), strict=True):
        windows = zip(tap, dilation, outputs, stride, strict=True)
        place: tuple[EllipsisType | slice, ...] = (
            ...,
            *(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in windows),
        )
        yield weights, place
