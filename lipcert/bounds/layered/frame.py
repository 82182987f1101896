"""How values and the affine maps between them are written as stacks of matrices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from lipcert.bounds.layered.expression import Expression
from lipcert.bounds.layered.pools import Pool
from lipcert.graph import Node
from lipcert.rules.slopes import Range


class AbstractFrame(ABC):
    """A coordinate system for the values of a graph.

    blocks  zeros (B, 1, 1) of the number, type and device of the matrices
    """

    blocks: Tensor

    @abstractmethod
    def size(self, node: Node) -> int:
        """Numbers of a value in each block."""

    @abstractmethod
    def groups(self, node: Node) -> Tensor:
        """Which of its multipliers each number takes, shape (size,): one a channel where there are places."""

    @abstractmethod
    def column(self, end: float | Tensor, node: Node) -> Tensor:
        """One number an entry or channel of the node's value, as (size, 1)."""

    @abstractmethod
    def slopes(self, ends: Range, node: Node) -> tuple[Tensor, Tensor]:
        """The slopes an activation can have in this frame, as columns."""

    @abstractmethod
    def cut(self, node: Node) -> Node | None:
        """What `node` reads, where that must be set to 0 outside its valid places before; None where nothing must."""

    @abstractmethod
    def express(self, node: Node, known: Mapping[Node, Expression]) -> Expression | None:
        """The expression of a node that is affine in its live inputs; None for any other node."""

    @abstractmethod
    def pooled(self, node: Node, pool: Pool, inner: Expression) -> tuple[Expression, Expression, Tensor]:
        """Of what a maximum reads: the windows' means, the deviations from them, and the output each of those is of.

        The outputs, (number of deviations,): multipliers are to be alike where they say the same.
        """

    def atom(self, number: int, node: Node) -> Expression:
        """The value itself as an atom."""
        unit = torch.eye(self.size(node), dtype=self.blocks.dtype, device=self.blocks.device)
        return Expression({number: unit.expand(len(self.blocks), -1, -1)})
