"""A convolution as its kernel matrix times the unfolding of the input into patches.

A = K P, with K the (filters, channels * taps) kernel matrix at every place and P the unfolding. P copies each input
into as many patches as read it, so ||P||^2 is the largest such count M, and ||A|| <= sqrt(M) ||K||. The same for the
adjoint, whose patches are the taps of one output that meet the input: ||A|| <= sqrt(N) ||K'|| with the kernel regrouped
as (channels, filters * taps). Counts are products over the axes, taken at the real input size. With kernel size k,
stride s, dilation d and g = gcd(s, d), M is at most the product of ceil(k g / s).
Where patches are disjoint and one lies wholly inside the input, ||A|| = ||K||.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from lipcert.norms.base import ENCLOSURES, MATRIX_PACE, UPPERS, AbstractEnclosure, AbstractEnd, End, Task, enclose
from lipcert.operators import AbstractLinearOperator, BlockDiagonalOperator, ConvolutionOperator, DenseOperator
from lipcert.records import Enclosure
from lipcert.rounding import product_up, sqrt_up


def patches_per_input(operator: ConvolutionOperator) -> int:
    """The largest number of patches that read one input place."""
    return math.prod(_per_axis(operator, lambda inside, hits: int(torch.bincount(hits[inside]).max())))


def taps_per_output(operator: ConvolutionOperator) -> int:
    """The largest number of taps of one output place that meet the input."""
    return math.prod(_per_axis(operator, lambda inside, _: int(inside.sum(1).max())))


def _per_axis(operator: ConvolutionOperator, count: Callable[[Tensor, Tensor], int]) -> list[int]:
    counts = []
    for axis, size in enumerate(operator.size):
        hits = operator.hits(axis)
        inside = (hits >= 0) & (hits < size)
        counts.append(count(inside, hits) if bool(inside.any()) else 0)
    return counts


def _kernel(operator: ConvolutionOperator, *, regrouped: bool) -> AbstractLinearOperator:
    """The kernel matrix, (filters, channels * taps) or (channels, filters * taps), one block a group."""
    blocks = []
    for weight in operator.weight.chunk(operator.groups):
        kernel = weight.transpose(0, 1) if regrouped else weight
        blocks.append(DenseOperator(kernel.flatten(1)))
    return blocks[0] if len(blocks) == 1 else BlockDiagonalOperator(blocks)


@final
@UPPERS.register("unfold")
class Unfold(AbstractEnd):
    """The smaller of the two bounds."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Two dense norms of the kernel's size."""
        return _dense_cost(operator)

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """min(sqrt(M) ||K||, sqrt(N) ||K'||)."""
        assert isinstance(operator, ConvolutionOperator)
        counts = patches_per_input(operator), taps_per_output(operator)
        proofs = replace(task, failure=0.0)
        norms = [enclose(_kernel(operator, regrouped=way), proofs) for way in (False, True)]
        bounds = [product_up((sqrt_up(count), norm.upper or 0.0)) for count, norm in zip(counts, norms, strict=True)]
        return End(value=min(bounds), method="unfold")


@final
@ENCLOSURES.register("disjoint patches")
class DisjointPatches(AbstractEnclosure):
    """1x1 kernels, and kernels no larger than their stride."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """One dense norm of the kernel's size."""
        return _dense_cost(operator) if isinstance(operator, ConvolutionOperator) and _disjoint(operator) else math.inf

    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """The enclosure of the kernel matrix."""
        assert isinstance(operator, ConvolutionOperator)
        return enclose(_kernel(operator, regrouped=False), task)


def _disjoint(operator: ConvolutionOperator) -> bool:
    return patches_per_input(operator) == 1 and taps_per_output(operator) == math.prod(operator.kernel)


def _dense_cost(operator: AbstractLinearOperator) -> float:
    if not isinstance(operator, ConvolutionOperator):
        return math.inf
    filters = operator.weight.shape[0] // operator.groups
    small, large = sorted((filters, operator.weight[0].numel()))
    return MATRIX_PACE * operator.groups * (float(small) ** 2 * large + float(small) ** 3)
