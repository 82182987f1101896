"""Upper end of a convolution from the smallest circulants that hold it, with and without a twist.

Write the convolution as y[o] = sum_m K_m x[o + m] (operators/polyphase.py). For M large enough that no difference q - o
of places at hand equals an offset modulo M but by being that offset, the matrix (K_{q - o}) is a submatrix of

    C[o, q] = sum_j K_{q - o + j M} e^{-i j t},    for every twist t,

and D C D^-1 with D = diag(e^{i t q / M}) is the ordinary circulant of K_m e^{i t m / M}, so block-diagonal after a
Fourier transform, with blocks F((2 pi j + t) / M). A submatrix has no larger norm:

    ||A|| <= max_j ||F((2 pi j + t) / M)||,    the same on every axis.

For a 3x3 kernel that keeps the size, M = n + 1. The twist is chosen so that the peak of the symbol falls between two
frequencies, which reproduces the leading effect of the zero padding: for [1, c, 1] with c >= 0 it is exact. Kernels are
real, so peaks come in pairs w, -w: twists other than 0 and pi put one of the two closer to a frequency.
Each ||F||^2 is bounded by a Cholesky factorisation (operators/hermitian.py) of F F^*, whose error is bounded in
operators/symbol.py. Groups are separate blocks.
Sources: Sedghi, Gupta, Long, ICLR 2019 (circulants, periodic padding); Senderovich et al., NeurIPS 2022 (strides);
Davis, Circulant Matrices (1979), 3.2 (twisted ones).
"""

from __future__ import annotations

import math
from typing import final

from lipcert.norms.base import MATRIX_PACE, UPPERS, AbstractEnd, End, Task
from lipcert.operators import AbstractLinearOperator, ConvolutionOperator
from lipcert.operators.circulant import highest, highest_of_rows, promising, work
from lipcert.operators.polyphase import polyphase
from lipcert.operators.symbol import Symbol
from lipcert.records import Effort
from lipcert.rounding import product_up, sqrt_up

# How far above the lower end a frequency need not be looked at.
_SLACK: dict[Effort, float] = {"fast": 1e-3, "default": 5e-5, "high": 1e-6}
# Gap in the square above which a second twist is tried.
_NEAR: dict[Effort, float] = {"fast": 0.2, "default": 2e-3, "high": 1e-4}


@final
@UPPERS.register("twisted circulant")
class TwistedCirculant(AbstractEnd):
    """The bound of the twist that promises the smallest, and of the next where it promises less than was found."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """A factorisation a frequency, and the Gram matrices."""
        if not isinstance(operator, ConvolutionOperator):
            return math.inf
        kernel = polyphase(operator)
        return 0.0 if kernel is None else MATRIX_PACE * work(kernel)

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """The bound; zero where the kernel only ever meets padding."""
        assert isinstance(operator, ConvolutionOperator)
        kernel, largest = polyphase(operator), float(operator.weight.abs().max())
        if kernel is None or largest == 0.0:
            return End(value=0.0, method="zero")
        if not math.isfinite(largest):
            return End(value=math.inf, method="twisted circulant")
        # A power of two scales exactly, and keeps squares away from overflow and underflow.
        scale = 2.0 ** min(1023, math.frexp(largest)[1])
        symbol = Symbol(kernel.taps / scale, kernel.grid)
        if symbol.rows == 1:
            squares = highest_of_rows(symbol)
        else:
            known = (task.lower / scale * (1.0 + _SLACK[task.effort])) ** 2
            squares = _least(symbol, promising(symbol, kernel, operator, task.witness), known, _NEAR[task.effort])
        return End(value=product_up((sqrt_up(squares), scale)), method="twisted circulant")


def _least(symbol: Symbol, options: list[tuple[float, tuple[int, ...]]], known: float, near: float) -> float:
    """Upper bound on ||F||^2, the better of two twists; `known` is a lower end, `near` a gap that will do."""
    least = math.inf
    for peak, twist in options[:2]:
        hope = max(peak, known)
        if math.isfinite(least) and (least <= (1.0 + near) * known or least - hope < 0.1 * (least - known)):
            continue
        least = min(least, highest(symbol, twist, hope))
    return least
