"""A lower end by Golub-Kahan-Lanczos bidiagonalisation on the exact operator.

Whatever vector v comes out, ||A v|| / ||v|| <= ||A||: only the last application is trusted, and what rounding may have
added to it is subtracted, so neither convergence nor orthogonality matters for soundness.
"""

from __future__ import annotations

from typing import final

import torch

from lipcert.norms.base import BUDGETS, LOWERS, AbstractEnd, End, Task, witnessed
from lipcert.operators import AbstractLinearOperator, AdjointOperator
from lipcert.operators.krylov import ritz_vector
from lipcert.records import Effort

# Above this relative accuracy float32 is enough to find the vector.
_ROUGH = 1e-5
_MOST: dict[Effort, int] = {"fast": 12, "default": 30, "high": 200}


@final
@LOWERS.register("golub-kahan")
class GolubKahan(AbstractEnd):
    """The largest Ritz value, re-evaluated."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Four steps at least; more are made as the budget allows."""
        return 8.0 * operator.work

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """What the operator does to the Ritz vector."""
        turned = operator.in_size > operator.out_size
        given, operator = operator, AdjointOperator(operator) if turned else operator
        affordable = int(BUDGETS[task.effort] / (2 * operator.work + 1))
        vector = ritz_vector(
            operator,
            iterations=max(4, min(_MOST[task.effort], affordable)),
            tolerance=task.tolerance,
            generator=torch.Generator().manual_seed(task.seed),
            dtype=torch.float32 if operator.mixed and task.tolerance >= _ROUGH else torch.float64,
        )
        witness = given.adjoint(vector[None])[0] if turned else vector
        return End(value=witnessed(operator, vector), method="golub-kahan", witness=witness)
