"""One or more operators of every kind, degenerate shapes included, with the torch function each stands for."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Size, Tensor

from lipcert.operators import (
    AbstractLinearOperator,
    AdjointOperator,
    AffineOperator,
    BlockDiagonalOperator,
    CompositionOperator,
    ConvolutionOperator,
    DenseOperator,
    DiagonalOperator,
    GatherOperator,
    SeparableOperator,
)
from lipcert.operators.pooling import adaptive_average_matrix, average_matrix, mean_matrix


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def convolution(weight: Tensor, *size: int, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1):
    axes = len(size)
    return ConvolutionOperator(
        weight,
        size,
        stride=[stride] * axes,
        padding=[(padding, padding)] * axes,
        dilation=[dilation] * axes,
        groups=groups,
    )


def _conv_2d_asymmetric() -> AbstractLinearOperator:
    return ConvolutionOperator(random(3, 2, 2, 3), (5, 4), stride=(2, 1), padding=((0, 1), (2, 0)), dilation=(1, 2))


def _transposed() -> AbstractLinearOperator:
    """F.conv_transpose2d(x, w, stride=3, padding=1, output_padding=2, groups=2) at x of shape (4, 3, 2)."""
    inner = ConvolutionOperator(
        random(4, 3, 2, 2), (8, 5), stride=(3, 3), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=2, outputs=(3, 2)
    )
    return AdjointOperator(inner)


def _conv_1d() -> ConvolutionOperator:
    return convolution(random(3, 2, 3), 7, stride=2)


def _pooling() -> AbstractLinearOperator:
    rows = average_matrix(7, 3, 2, 1, ceil=True, count_include_pad=False)
    columns = average_matrix(5, 2, 2, 0, ceil=True, count_include_pad=False)
    return SeparableOperator((None, rows, columns), Size((2, 7, 5)))


EXAMPLES: dict[str, AbstractLinearOperator] = {
    "dense": DenseOperator(random(4, 6)),
    "dense tall": DenseOperator(random(7, 1)),
    "dense wide": DenseOperator(random(1, 7)),
    "dense 1x1": DenseOperator(random(1, 1)),
    "dense zero": DenseOperator(torch.zeros(3, 2)),
    "dense float32": DenseOperator(random(3, 3).float()),
    "conv": convolution(random(3, 2, 3, 3), 5, 4, padding=1),
    "conv 1x1": convolution(random(3, 2, 1, 1), 4, 4),
    "conv strided past its kernel": convolution(random(2, 2, 2, 2), 7, 7, stride=3),
    "conv padded past its kernel": convolution(random(1, 1, 2, 2), 3, 3, padding=4),
    "conv one pixel": convolution(random(2, 3, 3, 3), 1, 1, padding=1),
    "conv dilated": convolution(random(2, 2, 3, 3), 7, 7, dilation=2, stride=2, padding=2),
    "conv depthwise": convolution(random(4, 1, 3, 3), 4, 4, padding=1, groups=4),
    "conv grouped": convolution(random(4, 3, 2, 2), 4, 3, groups=2),
    "conv asymmetric": _conv_2d_asymmetric(),
    "conv 1d": convolution(random(3, 2, 3), 6, stride=2, padding=1),
    "conv 3d": convolution(random(2, 2, 2, 2, 2), 3, 3, 3, padding=1, stride=2),
    "conv zero": convolution(torch.zeros(2, 2, 3, 3), 4, 4, padding=1),
    "transposed": _transposed(),
    "diagonal": DiagonalOperator(random(3, 1, 1), Size((3, 2, 4))),
    "diagonal scalar": DiagonalOperator(torch.tensor(-2.5), Size((3,))),
    "average pooling": _pooling(),
    "mean": SeparableOperator((None, mean_matrix(4), mean_matrix(3)), Size((2, 4, 3))),
    "adaptive pooling": SeparableOperator((adaptive_average_matrix(7, 3),), Size((7,))),
    "separable": SeparableOperator((random(4, 3), None, random(1, 2)), Size((3, 2, 2))),
    "identity": SeparableOperator((None, None), Size((2, 3))),
    "repeated block": BlockDiagonalOperator([DenseOperator(random(2, 3))] * 4),
    "blocks": BlockDiagonalOperator([DenseOperator(random(2, 3, seed=s)) for s in range(3)]),
    "copies": GatherOperator(torch.tensor([[2, 0, -1], [2, 2, 1]]), Size((2, 2))),
    "copies of nothing": GatherOperator(torch.tensor([-1, -1]), Size((3,))),
    "chain": CompositionOperator((convolution(random(3, 2, 3, 3), 5, 4, padding=1), DenseOperator(random(4, 60)))),
    "chain of copies": CompositionOperator(
        (GatherOperator((torch.arange(-1, 6) % 5).repeat(2, 1) + torch.tensor([[0], [5]]), Size((2, 5))), _conv_1d())
    ),
    "chain transposed": AdjointOperator(
        CompositionOperator((DenseOperator(random(6, 4)), DenseOperator(random(3, 6))))
    ),
    "affine": AffineOperator(lambda x: F.interpolate(x, scale_factor=2, mode="bicubic") + 1.0, Size((1, 1, 3, 4))),
}
