"""Matrices of one axis from which pooling and its kin are separable."""

from __future__ import annotations

import torch
from torch import Tensor


def window_bounds(size: int, kernel: int, stride: int, padding: int, dilation: int = 1, *, ceil: bool) -> int:
    """Number of windows along an axis, exactly as ATen's pooling counts them (pooling_output_shape)."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    windows = (span + (stride - 1 if ceil else 0)) // stride + 1
    # With ceil_mode the last window must start inside the input or its left padding.
    return windows - 1 if ceil and (windows - 1) * stride >= size + padding else windows


def average_matrix(
    size: int,
    kernel: int,
    stride: int,
    padding: int,
    *,
    ceil: bool,
    count_include_pad: bool,
    divide: bool = True,
) -> Tensor:
    """(windows, size) matrix of average pooling along one axis; plain window sums where `divide` is False.

    The divisor of a window is a product over the axes in every mode of `aten.avg_pool*d`: it counts the places
    of the window inside the input, with its padding if `count_include_pad` says so, and never the overhang of
    ceil_mode. Hence pooling in several dimensions is the Kronecker product of these matrices.
    """
    windows = window_bounds(size, kernel, stride, padding, ceil=ceil)
    matrix = torch.zeros(windows, size, dtype=torch.float64)
    for row in range(windows):
        start = row * stride - padding
        end = min(start + kernel, size + padding)
        inside = slice(max(start, 0), min(start + kernel, size))
        count = end - start if count_include_pad else inside.stop - inside.start
        if inside.start < inside.stop:
            matrix[row, inside] = 1.0 / count if divide else 1.0
    return matrix


def adaptive_average_matrix(size: int, windows: int) -> Tensor:
    """(windows, size) matrix of adaptive average pooling on one axis: window i is [floor(i n/w), ceil((i+1) n/w))."""
    matrix = torch.zeros(windows, size, dtype=torch.float64)
    for row in range(windows):
        start, end = row * size // windows, -((row + 1) * size // -windows)
        matrix[row, start:end] = 1.0 / (end - start)
    return matrix


def mean_matrix(size: int) -> Tensor:
    """(1, size) matrix of the mean along one axis."""
    return torch.full((1, size), 1.0 / size, dtype=torch.float64)
