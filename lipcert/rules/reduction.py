"""Sums, means, extrema and norms along axes."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import SeparableOperator
from lipcert.operators.pooling import mean_matrix
from lipcert.records import Norm
from lipcert.rounding import product_up, sqrt_up
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, UnboundedError, argument, rule


def _reduced(node: Node, position: int = 1) -> list[int]:
    """The axes reduced, as non-negative numbers; all of them where none is named."""
    rank = len(node.inputs[0].shape)
    named: Any = argument(node, position, "dim")
    axes = list(range(rank)) if named is None or named == [] else named if isinstance(named, tuple | list) else [named]
    return [axis % rank for axis in axes]


@final
@rule("mean", "sum", "cumsum")
class LinearReduction(AbstractRule):
    """A Kronecker product: a row of equal weights on each reduced axis (of partial sums for cumsum)."""

    def operator(self, node: Node, /) -> SeparableOperator:
        """Factors for the reduced axes, nothing for the others."""
        shape = node.inputs[0].shape
        axes = _reduced(node)
        return SeparableOperator([_factor(node.op, n) if a in axes else None for a, n in enumerate(shape)], shape)

    def geometry(self, node: Node, /) -> Geometry:
        """Mean over 7x7."""
        shape = node.inputs[0].shape
        over = "x".join(str(shape[axis]) for axis in _reduced(node) if axis) or "1"
        return Geometry(description=f"{node.op} over {over}")


def _factor(op: str, size: int) -> Tensor:
    if op == "cumsum":
        return torch.ones(size, size, dtype=torch.float64).tril()
    return mean_matrix(size) if op == "mean" else torch.ones(1, size, dtype=torch.float64)


@final
@rule("amax", "amin", "max", "min", "logsumexp", "sort", "topk")
class Extreme(AbstractRule):
    """1 in every norm.

    An extremum or a log-sum-exp moves by at most the largest move in its window (gradients are probability vectors);
    windows are disjoint. Sorting does not enlarge the distance of two vectors in any of the norms (Hardy, Littlewood,
    Polya, Inequalities, Theorem 368), and keeping some of the sorted entries is a projection.
    """

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The input's gain."""
        if len(gains) != 1:
            raise UnboundedError(node, "an extremum of two live values is `maximum` or `minimum`")
        if node.op == "topk" and not argument(node, 4, "sorted", default=True):
            raise UnboundedError(node, "it does not sort what it keeps, so its order jumps")
        return gains[0]


@final
@rule("linalg_vector_norm")
class VectorNorm(AbstractRule):
    """| |x| - |y| | <= |x - y|, for the Euclidean norm along axes."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """1 in l2 and l1, the root of the number of reduced entries in linf."""
        order: Any = argument(node, 1, "ord", 2)
        if float(order) != 2.0:
            raise UnboundedError(node, f"order {order} is not analysed")
        count = node.inputs[0].shape.numel() // max(1, node.shape.numel())
        return product_up((sqrt_up(count) if norm == "linf" else 1.0, gains[0]))
