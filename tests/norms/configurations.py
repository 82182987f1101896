"""Random convolutions of every geometry, small enough to be written out, with kernels that break careless bounds."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.operators import AbstractLinearOperator, AdjointOperator, ConvolutionOperator

# The larger side of the written-out matrix, at most; a singular value decomposition takes milliseconds.
_SIDE = 700


def configuration(seed: int) -> AbstractLinearOperator:
    """One to three axes, stride and dilation 1-3, groups to depthwise, padding 0 to full or 'same', maybe transposed.

    Same seed, same operator. A quarter are transposed, with an output padding; images may have a single pixel.
    """
    generator = torch.Generator().manual_seed(seed)
    while True:
        operator = _drawn(generator)
        if operator is not None and max(operator.in_size, operator.out_size) <= _SIDE:
            return AdjointOperator(operator) if _one(generator, 4) == 0 else operator


def inner(operator: AbstractLinearOperator) -> ConvolutionOperator:
    """The convolution itself, whose norm is that of its adjoint."""
    convolution = operator.inner if isinstance(operator, AdjointOperator) else operator
    assert isinstance(convolution, ConvolutionOperator)
    return convolution


def _one(generator: torch.Generator, choices: int) -> int:
    """A number in 0, ..., choices - 1."""
    return int(torch.randint(choices, (1,), generator=generator))


def _drawn(generator: torch.Generator) -> ConvolutionOperator | None:
    """A convolution, or None where the kernel does not fit."""
    axes = (1, 2, 2, 2, 3)[_one(generator, 5)]
    kernel = [1 + _one(generator, 5 if axes < 3 else 3) for _ in range(axes)]
    stride = [1 + _one(generator, 3) for _ in range(axes)]
    dilation = [1 + _one(generator, 3) for _ in range(axes)]
    size = [1 + _one(generator, (24, 9, 4)[axes - 1]) for _ in range(axes)]
    padding = _padding(generator, kernel, dilation)
    spans = [n + sum(p) - d * (k - 1) for n, p, d, k in zip(size, padding, dilation, kernel, strict=True)]
    if min(spans) < 1:
        return None
    filters, channels, groups = _widths(generator)
    weight = _weight(generator, (filters, channels, *kernel))
    full = [(span - 1) // s + 1 for span, s in zip(spans, stride, strict=True)]
    # The adjoint of a transposed convolution with a large output padding leaves out the last places.
    outputs = [max(1, o - _one(generator, 2)) for o in full] if _one(generator, 6) == 0 else None
    return ConvolutionOperator(
        weight,
        size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        outputs=outputs,
    )


def _widths(generator: torch.Generator) -> tuple[int, int, int]:
    """Filters, channels a group, and groups: narrow, depthwise, or once in a while as wide as a real layer."""
    match _one(generator, 16):
        case 0:
            return 64 + _one(generator, 3), 64 + _one(generator, 3), 1
        case 1 | 2:
            return 4, 1, 4
    groups = (1, 1, 1, 2, 3)[_one(generator, 5)]
    return groups * (1 + _one(generator, 4)), 1 + _one(generator, 4), groups


def _padding(generator: torch.Generator, kernel: list[int], dilation: list[int]) -> list[tuple[int, int]]:
    """None, any on each side up to full, 'same' (the odd place at the end), or full."""
    full = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    match _one(generator, 4):
        case 0:
            return [(0, 0)] * len(kernel)
        case 1:
            return [(_one(generator, f + 1), _one(generator, f + 1)) for f in full]
        case 2:
            return [(f // 2, f - f // 2) for f in full]
    return [(f, f) for f in full]


def _weight(generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
    """Gaussian, positive, of rank one, of many scales, sparse, or alternating signs."""
    weight = torch.randn(shape, generator=generator, dtype=torch.float64)
    match _one(generator, 6):
        case 1:
            return weight.abs()
        case 2:
            return weight[:1, :1] * torch.ones(shape, dtype=torch.float64)
        case 3:
            return weight * torch.pow(10.0, 8 * torch.rand(shape[0], generator=generator, dtype=torch.float64)).reshape(
                -1, *[1] * (len(shape) - 1)
            )
        case 4:
            return weight * (torch.rand(shape, generator=generator, dtype=torch.float64) < 0.3)
        case 5:
            signs = 1.0 - 2.0 * (torch.arange(math.prod(shape[2:])) % 2)
            return weight.abs() * signs.reshape(shape[2:])
    return weight.float().double()
