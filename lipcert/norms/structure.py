"""Operators whose norm follows from closed forms or from the norms of their parts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import final

from lipcert.norms.base import ENCLOSURES, AbstractEnclosure, Task, enclose
from lipcert.operators import (
    AbstractLinearOperator,
    AdjointOperator,
    BlockDiagonalOperator,
    DenseOperator,
    DiagonalOperator,
    SeparableOperator,
)
from lipcert.records import Enclosure, Soundness
from lipcert.rounding import down, product_up

# The parts are priced by the methods that enclose them.
_FREE = 0.0


@final
@ENCLOSURES.register("diagonal")
class Diagonal(AbstractEnclosure):
    """The largest absolute entry of a diagonal."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Nothing."""
        return _FREE if isinstance(operator, DiagonalOperator) else math.inf

    def enclose(self, operator: AbstractLinearOperator, _task: Task, /) -> Enclosure:
        """Both ends are that entry."""
        assert isinstance(operator, DiagonalOperator)
        value = float(operator.scale.abs().max()) if operator.in_size else 0.0
        return Enclosure(lower=value, upper=value, soundness=Soundness.EXACT, method="largest entry")


@final
@ENCLOSURES.register("adjoint")
class Adjoint(AbstractEnclosure):
    """An adjoint has the singular values of its operator."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Nothing."""
        return _FREE if isinstance(operator, AdjointOperator) else math.inf

    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """The operator's own enclosure."""
        assert isinstance(operator, AdjointOperator)
        return enclose(operator.inner, task)


@final
@ENCLOSURES.register("blocks")
class Blocks(AbstractEnclosure):
    """A block diagonal operator has the singular values of its blocks together: the norm is the largest block's."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Nothing for one distinct block; several are cheaper as a stack where they are dense."""
        return _FREE if isinstance(operator, BlockDiagonalOperator) and not _stacked(operator) else math.inf

    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """The largest of each end over the blocks."""
        assert isinstance(operator, BlockDiagonalOperator)
        share = replace(task, failure=task.failure / len(operator.distinct))
        found = [enclose(block, share) for block in operator.distinct]
        worst = max(found, key=lambda each: each.upper or 0.0)
        failure = sum(each.failure_probability for each in found)
        return replace(
            worst,
            lower=max(each.lower for each in found),
            soundness=Soundness.PROBABILISTIC if failure else worst.soundness,
            failure_probability=failure,
        )


def _stacked(operator: BlockDiagonalOperator) -> bool:
    return len(operator.distinct) > 1 and all(isinstance(block, DenseOperator) for block in operator.distinct)


@final
@ENCLOSURES.register("separable")
class Separable(AbstractEnclosure):
    """The norm of a Kronecker product is the product of the norms of its factors."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Nothing."""
        return _FREE if isinstance(operator, SeparableOperator) else math.inf

    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """The product of each end over the factors, 1 for an axis left alone."""
        assert isinstance(operator, SeparableOperator)
        proofs = replace(task, failure=0.0)
        found = [enclose(DenseOperator(factor), proofs) for factor in operator.factors if factor is not None]
        lower = 1.0
        for each in found:
            lower = max(0.0, down(lower * each.lower))
        methods = dict.fromkeys(each.method for each in found)
        return Enclosure(
            lower=lower,
            upper=product_up(each.upper or 0.0 for each in found),
            soundness=Soundness.EXACT if all(e.soundness is Soundness.EXACT for e in found) else Soundness.PROVED,
            method=f"product over the axes ({', '.join(methods)})" if methods else "identity",
        )
