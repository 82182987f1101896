"""A lower end by Golub-Kahan-Lanczos bidiagonalisation on the exact operator.

Whatever vector v comes out, ||A v|| / ||v|| <= ||A||: only the last application is trusted, and what rounding may have
added to it is subtracted, so neither convergence nor orthogonality matters for soundness. On large images a convolution
starts from the windowed plane wave of its symbol's peak (operators/wave.py), which is often within 1e-3 of the answer.
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from lipcert.norms.base import BUDGETS, LOWERS, AbstractEnd, End, Task, witnessed
from lipcert.operators import AbstractLinearOperator, AdjointOperator, ConvolutionOperator
from lipcert.operators.krylov import ritz_vector
from lipcert.operators.wave import plane_wave
from lipcert.records import Effort

# Above this relative accuracy float32 is enough to find the vector.
_ROUGH = 1e-5
_MOST: dict[Effort, int] = {"fast": 24, "default": 120, "high": 200}
# The residual's estimate of the error is this much smaller than the error, at worst, on Gaussian weights.
_CAUTION = 0.2
# On smaller images many singular vectors mix and the peak says little; iterating from noise is cheap there.
_PLACES = 400


@final
@LOWERS.register("golub-kahan")
class GolubKahan(AbstractEnd):
    """The largest Ritz value, re-evaluated in float64."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Four steps at least; more are made as the budget allows."""
        return 8.0 * operator.work

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """What the operator does to the Ritz vector."""
        turned = operator.in_size > operator.out_size
        given, operator = operator, AdjointOperator(operator) if turned else operator
        start = _start(given)
        if start is not None and turned:
            start = given.apply(start[None])[0]
        affordable = int(BUDGETS[task.effort] / (2 * operator.work + 1))
        vector = ritz_vector(
            operator,
            iterations=max(4, min(_MOST[task.effort], affordable)),
            tolerance=_CAUTION * task.tolerance,
            generator=torch.Generator().manual_seed(task.seed),
            dtype=torch.float32 if operator.mixed and task.tolerance >= _ROUGH else torch.float64,
            start=start,
        )
        witness = given.adjoint(vector[None])[0] if turned else vector
        return End(value=witnessed(operator, vector), method="golub-kahan", witness=witness)


def _start(operator: AbstractLinearOperator) -> Tensor | None:
    """A plane wave, for a convolution of an image of some size."""
    if not isinstance(operator, ConvolutionOperator) or math.prod(operator.outputs) < _PLACES:
        return None
    return plane_wave(operator)
