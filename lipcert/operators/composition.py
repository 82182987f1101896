"""One operator after another, as one operator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import final

from torch import Tensor

from lipcert.operators.base import AbstractLinearOperator, Power
from lipcert.operators.dense import DenseOperator
from lipcert.operators.materialise import materialise


@final
class CompositionOperator(AbstractLinearOperator):
    """x -> A_k ... A_2 A_1 x, for `parts` A_1, ..., A_k in the order they are applied.

    Rounding: with errors of the parts bounded by gamma(t_i) |A_i| |x|, the error of the chain is bounded by
    gamma(t_1 + ... + t_k) |A_k| ... |A_1| |x| (Higham 2002, Lemma 3.3), so by the majorant, not by |A_k ... A_1|.
    """

    def __init__(self, parts: Sequence[AbstractLinearOperator]) -> None:
        self.parts = tuple(parts)
        if not self.parts:
            raise ValueError("a composition needs one part at least")
        for first, second in zip(self.parts, self.parts[1:], strict=False):
            if first.out_size != second.in_size:
                raise ValueError(f"{tuple(first.out_shape)} does not feed {tuple(second.in_shape)}")
        self.in_shape, self.out_shape = self.parts[0].in_shape, self.parts[-1].out_shape
        self.terms = sum(part.terms for part in self.parts)
        self.depth = sum(part.depth for part in self.parts)
        self.device = self.parts[0].device
        self.mixed = all(part.mixed for part in self.parts)

    def apply(self, x: Tensor) -> Tensor:
        """Each part in turn; a part may read the same numbers in another shape, and live on another device."""
        for part in self.parts:
            x = part.apply(x.reshape(len(x), *part.in_shape).to(part.device))
        return x.to(self.device)

    def adjoint(self, y: Tensor) -> Tensor:
        """The adjoints from the last to the first."""
        for part in reversed(self.parts):
            y = part.adjoint(y.reshape(len(y), *part.out_shape).to(part.device))
        return y.to(self.device)

    @cached_property
    def written_out(self) -> DenseOperator:
        """The dense matrix, as `apply` computes it: entries err by gamma(terms) times the majorant's."""
        return DenseOperator(materialise(self), in_shape=self.in_shape, out_shape=self.out_shape)

    def powered(self, power: Power) -> DenseOperator:
        """Powers of the written-out matrix."""
        return self.written_out.powered(power)

    def majorant(self) -> CompositionOperator:
        """|A_k| ... |A_1|."""
        return CompositionOperator([part.majorant() for part in self.parts])

    @property
    def work(self) -> float:
        """Of all parts together."""
        return sum(part.work for part in self.parts)
