"""Schur's test: the root of the largest absolute row sum times the largest absolute column sum."""

from __future__ import annotations

from typing import final

from lipcert.norms.base import UPPERS, AbstractEnd, End, Task, magnitude
from lipcert.operators import AbstractLinearOperator


@final
@UPPERS.register("schur")
class Schur(AbstractEnd):
    """||A||_2^2 <= ||A||_1 ||A||_inf; sharp for all-positive averaging kernels, loose for others.

    Source: Schur, J. reine angew. Math. 140 (1911).
    """

    def cost(self, _operator: AbstractLinearOperator, /) -> float:
        """Nothing: it is the last resort, so it must always be affordable."""
        return 0.0

    def end(self, operator: AbstractLinearOperator, _task: Task, /) -> End:
        """The bound, rounded up."""
        return End(value=magnitude(operator), method="row and column sums")
