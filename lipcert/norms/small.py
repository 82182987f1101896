"""Operators whose matrix fits: written out, they are dense matrices."""

from __future__ import annotations

import math
from typing import final

from lipcert.norms.base import ENCLOSURES, MATRIX_PACE, AbstractEnclosure, Task, enclose
from lipcert.operators import (
    AbstractLinearOperator,
    AffineOperator,
    BlockDiagonalOperator,
    ConvolutionOperator,
    DenseOperator,
    materialise,
)
from lipcert.operators.stack import materialise_groups
from lipcert.records import Enclosure

# Entries of a matrix that is written out, 400 MB, and its smaller side: a second or two of Cholesky.
_ENTRIES = 5e7
_SIDE = 2500


@final
@ENCLOSURES.register("small")
class Small(AbstractEnclosure):
    """The matrix of the operator, or of each group of a grouped convolution, then a dense method.

    Every entry of a convolution's matrix is one weight, so nothing is rounded on the way.
    """

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Writing it out, and the cheapest dense method."""
        if not isinstance(operator, ConvolutionOperator | AffineOperator):
            return math.inf
        groups = operator.groups if isinstance(operator, ConvolutionOperator) else 1
        small, large = sorted((operator.in_size // groups, operator.out_size // groups))
        if groups * float(small) * large > _ENTRIES or small > _SIDE:
            return math.inf
        dense = small**2 * float(large) + float(small) ** 3
        return small * operator.work + MATRIX_PACE * groups * dense

    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """The enclosure of the written-out matrix."""
        if isinstance(operator, ConvolutionOperator) and operator.groups > 1:
            blocks = [DenseOperator(matrix) for matrix in materialise_groups(operator)]
            return enclose(BlockDiagonalOperator(blocks), task)
        return enclose(DenseOperator(materialise(operator)), task)
