"""Chains of operators: the norm of the product instead of the product of the norms."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import final

from lipcert.norms.base import (
    BUDGETS,
    ENCLOSURES,
    MATRIX_PACE,
    UPPERS,
    AbstractEnclosure,
    AbstractEnd,
    End,
    Task,
    enclose,
    magnitude,
)
from lipcert.operators import AbstractLinearOperator, CompositionOperator, GatherOperator
from lipcert.records import Effort, Enclosure, Soundness
from lipcert.rounding import down, gamma, product_up, sqrt_up, sum_up, up

# Entries of a matrix that is written out, 160 MB, and its smaller side.
_ENTRIES = 2e7
_SIDE = 2500


def fits(operator: AbstractLinearOperator) -> bool:
    """Whether the matrix may be written out."""
    small, large = sorted((operator.in_size, operator.out_size))
    return float(small) * large <= _ENTRIES and small <= _SIDE


def tightens(operator: AbstractLinearOperator, effort: Effort) -> bool:
    """Whether a quarter of the budget pays for more on a chain than the product of its parts."""
    made_for_parts = {"product", "schur"}
    methods: list[AbstractEnclosure | AbstractEnd] = [kind() for kind in ENCLOSURES.values()]
    methods += [kind() for name, kind in UPPERS.items() if name not in made_for_parts]
    return min(method.cost(operator) for method in methods) <= BUDGETS[effort] / 4


@final
@ENCLOSURES.register("copies")
class Copies(AbstractEnclosure):
    """A selection of inputs: A'A is diagonal and counts the copies of each, so the norm is the root of the largest."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Nothing."""
        return 0.0 if isinstance(operator, GatherOperator) else math.inf

    def enclose(self, operator: AbstractLinearOperator, _task: Task, /) -> Enclosure:
        """The root, from both sides."""
        assert isinstance(operator, GatherOperator)
        root = math.isqrt(operator.copies)
        if root * root == operator.copies:
            return Enclosure(lower=root, upper=root, soundness=Soundness.EXACT, method="copies")
        lower = down(math.sqrt(operator.copies))
        return Enclosure(lower=lower, upper=sqrt_up(operator.copies), soundness=Soundness.EXACT, method="copies")


@final
@ENCLOSURES.register("written-out chain")
class WrittenOut(AbstractEnclosure):
    """The matrix of a short chain, then a dense method.

    The computed matrix errs by at most gamma(terms) times the majorant entry by entry, which moves the norm by at most
    gamma(terms) times the majorant's norm.
    """

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Writing it out, and the cheapest dense method."""
        if not isinstance(operator, CompositionOperator):
            return math.inf
        small, large = sorted((operator.in_size, operator.out_size))
        if not fits(operator):
            return math.inf
        return small * operator.work + MATRIX_PACE * (small**2 * float(large) + float(small) ** 3)

    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """The enclosure of the written-out matrix, widened by what writing it out may err."""
        assert isinstance(operator, CompositionOperator)
        found = enclose(operator.written_out, replace(task, failure=0.0))
        error = product_up((gamma(operator.terms), magnitude(operator)))
        assert found.upper is not None
        lower, upper = max(0.0, down(found.lower - error)), sum_up((found.upper, error))
        exact = found.soundness is Soundness.EXACT and upper <= up(lower * (1 + 1e-6))
        soundness = Soundness.EXACT if exact else Soundness.PROVED
        return replace(found, lower=lower, upper=upper, soundness=soundness, method=f"chain, {found.method}")


@final
@UPPERS.register("product")
class Product(AbstractEnd):
    """The product of the parts' upper ends."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """The parts keep to the budget by themselves."""
        return 0.0 if isinstance(operator, CompositionOperator) else math.inf

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """A bound, as norms are submultiplicative."""
        assert isinstance(operator, CompositionOperator)
        found = [enclose(part, replace(task, lower=0.0, failure=0.0)) for part in operator.parts]
        return End(value=product_up(each.upper or 0.0 for each in found), method="product of parts")
