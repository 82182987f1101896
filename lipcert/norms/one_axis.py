"""Upper end of a convolution that is written out along one axis and held in twisted circulants along the others.

The circulant bound (norms/twisted_circulant.py) may be taken on some of the axes only. Along an axis that is written
out the places become channels and the matrices K_m Toeplitz matrices of blocks, so the effect of its padding is exact;
the blocks are as many times larger as there are places. In one dimension that is the whole matrix, up to the dilation's
parts. The bound is never above the best twist's, but for rounding, and it costs far more.
"""

from __future__ import annotations

import math
from typing import final

from lipcert.norms.base import MATRIX_PACE, UPPERS, AbstractEnd, End, Task
from lipcert.operators import AbstractLinearOperator, ConvolutionOperator
from lipcert.operators.circulant import highest, promising
from lipcert.operators.polyphase import PolyphaseKernel, polyphase
from lipcert.operators.symbol import Symbol
from lipcert.records import Effort
from lipcert.rounding import product_up, sqrt_up

# The smaller side of a block; one complex matrix of it takes 125 MB, and about ten are alive at once.
_SIDE = 2800
_SLACK: dict[Effort, float] = {"fast": 1e-3, "default": 1e-4, "high": 1e-5}


@final
@UPPERS.register("one axis written out")
class OneAxis(AbstractEnd):
    """The bound with the cheapest axis written out and, on the others, the twist that promises most."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """A few factorisations and a Gram matrix a frequency."""
        if not isinstance(operator, ConvolutionOperator):
            return math.inf
        kernel = polyphase(operator)
        return math.inf if kernel is None else min(_work(kernel, axis) for axis in range(len(kernel.axes)))

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """The bound; zero where the kernel only ever meets padding."""
        assert isinstance(operator, ConvolutionOperator)
        kernel, largest = polyphase(operator), float(operator.weight.abs().max())
        if kernel is None or largest == 0.0:
            return End(value=0.0, method="zero")
        if not math.isfinite(largest):
            return End(value=math.inf, method="one axis written out")
        axis = min(range(len(kernel.axes)), key=lambda a: _work(kernel, a))
        scale = 2.0 ** min(1023, math.frexp(largest)[1])
        _, twist = promising(Symbol(kernel.taps / scale, kernel.grid), kernel, operator, task.witness)[0]
        taps, grid = kernel.written_out(axis)
        guess = task.lower / scale * (1.0 + _SLACK[task.effort])
        squares = highest(Symbol(taps / scale, grid), twist, guess * guess)
        return End(value=product_up((sqrt_up(squares), scale)), method="one axis written out")


def _work(kernel: PolyphaseKernel, axis: int) -> float:
    """Multiplications with that axis written out, at the pace of a convolution; infinite where a block is too large."""
    split = kernel.axes[axis]
    groups, rows, columns = kernel.taps.shape[:3]
    small, large = sorted((float(rows * split.rows), columns / split.phases * int(split.present.sum())))
    if small > _SIDE:
        return math.inf
    frequencies = math.prod(kernel.grid) // split.grid // 2 + 1
    return MATRIX_PACE * groups * frequencies * (4.0 * small**2 * large + 6.0 * small**3)
