"""Upper end of a convolution at any input size, by squaring its kernel.

With the kernel as K_m on the coarse grid (operators/polyphase.py), the operator is a submatrix of the endless block
Toeplitz matrix T(K), for every part, input size and zero padding. And for any kernels

    ||T(K)||^2 = ||T(K) T(K)'|| = ||T(G)||,    G_D = sum_m K_m K_{m+D}',

so the norm is the 2^j-th root of that of the j-th square, where Schur's test, the root of the largest row sum times the
largest column sum of absolute values, loses only the 2^j-th root of what it loses.
Rounding: a computed G is off by at most g |K| |K|' entry by entry, g = gamma(terms of one sum), which is a kernel of
norm at most g S(|K|)^2 with S Schur's bound. Hence ||T(K)||^2 <= ||T(computed G)|| + g S(|K|)^2, step by step.
No grid is involved, so this is the bound for inputs too large for a circulant; it is never below the norm for unpadded
endless inputs, which a small zero-padded input stays well under.
Source: Delattre, Barthélemy, Araujo, Allauzen, ICML 2023 (Gram iteration) and their Spectral norm of convolutional
layers with circular and zero paddings (2024), for kernels; the account of rounding and strides is above.
"""

from __future__ import annotations

import math
from typing import final

import torch.nn.functional as F
from torch import Tensor

from lipcert.norms.base import TINY, UPPERS, AbstractEnd, End, Task
from lipcert.operators import AbstractLinearOperator, ConvolutionOperator
from lipcert.operators.polyphase import polyphase
from lipcert.rounding import gamma, product_up, sqrt_up, sum_up, up

_CORRELATE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
# Multiplications for one operator, and squares: a tenth of a second.
_BUDGET = 1e8
_MOST = 4


@final
@UPPERS.register("gram iteration")
class GramIteration(AbstractEnd):
    """As many squares as a fixed budget allows; the kernel doubles in size with each."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """The squares; infinite where not one is affordable."""
        if not isinstance(operator, ConvolutionOperator):
            return math.inf
        kernel = polyphase(operator)
        if kernel is None:
            return 0.0
        groups, *sides = kernel.taps.shape[:3]
        return groups * sum(_affordable(sides, kernel.taps.shape[3:], _BUDGET / groups)) or math.inf

    def end(self, operator: AbstractLinearOperator, _task: Task, /) -> End:
        """The largest bound over the groups; zero where the kernel only ever meets padding."""
        assert isinstance(operator, ConvolutionOperator)
        kernel = polyphase(operator)
        if kernel is None:
            return End(value=0.0, method="zero")
        groups, *sides = kernel.taps.shape[:3]
        squares = len(_affordable(sides, kernel.taps.shape[3:], _BUDGET / groups))
        turned = kernel.taps.transpose(1, 2) if sides[0] > sides[1] else kernel.taps
        return End(value=max(toeplitz_norm(taps, squares) for taps in turned), method="gram iteration")


def _affordable(sides: list[int], lengths: tuple[int, ...], budget: float) -> list[float]:
    """Multiplications of each square, as long as all together stay within the budget."""
    small, large = sorted(sides)
    spent: list[float] = []
    while len(spent) < _MOST:
        lags = [2 * length - 1 for length in lengths]
        work = float(small) ** 2 * large * math.prod(lengths) * math.prod(lags)
        if sum(spent) + work > budget:
            break
        spent.append(work)
        large, lengths = small, tuple(lags)
    return spent


def toeplitz_norm(taps: Tensor, squares: int) -> float:
    """Upper bound on ||T(K)|| for taps K (rows, columns, *lengths), from its square as often as told."""
    largest = float(taps.abs().max())
    if largest == 0.0 or not math.isfinite(largest):
        return largest if largest == 0.0 else math.inf
    # A power of two scales exactly, and keeps squares away from overflow and underflow.
    scale = 2.0 ** min(1023, math.frexp(largest)[1])
    taps = taps / scale
    schur = _schur(taps)
    if squares == 0:
        return product_up((schur, scale))
    gram = _CORRELATE[taps.ndim - 2](taps, taps, padding=[length - 1 for length in taps.shape[2:]])
    terms = taps[0].numel()
    error = product_up((gamma(terms + 1), schur, schur))
    lost = 2.0 * terms * gram.numel() * TINY
    square = sum_up((toeplitz_norm(gram, squares - 1), error, lost))
    return product_up((min(schur, sqrt_up(square)), scale))


def _schur(taps: Tensor) -> float:
    """The root of the largest absolute row sum times the largest absolute column sum of T(K)."""
    sizes = taps.abs().flatten(2).sum(2)
    slack = up(1.0 + gamma(taps.numel() + 1))
    sums = [product_up((float(sizes.sum(axis).max()), slack)) for axis in (0, 1)]
    return sqrt_up(product_up(sums))
