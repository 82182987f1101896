"""Sums, means, extrema and norms along axes."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import SeparableOperator
from lipcert.operators.pooling import mean_matrix
from lipcert.records import Norm
from lipcert.rounding import gamma, product_up, sqrt_up
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, UnboundedError, argument, rule, unsupported
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.largest import largest_interval, largest_relaxation
from lipcert.rules.relaxation import AbstractRelaxation, Constant
from lipcert.rules.window_places import reduced


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

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The op at both ends: each of these rises with each of its arguments."""
        if len(inputs) != 1 or (node.op == "topk" and not argument(node, 4, "sorted", default=True)):
            raise unsupported(node, "interval")
        if node.op in _EXTREMA:
            return largest_interval(reduced(node, _reduced(node)), inputs, smallest=node.op in _SMALLEST)
        run = torch.vmap(node.run)
        shape = (len(inputs[0].lower), *node.inputs[0].shape)
        ends = (run(end.reshape(shape)) for end in (inputs[0].lower, inputs[0].upper))
        lower, upper = (end if isinstance(end, Tensor) else end[0] for end in ends)
        box = Interval(lower, upper).reshape(entries(node))
        return box.widen(gamma(shape[-1] * 4 + 64) * (1.0 + box.magnitude)) if node.op == "logsumexp" else box

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Planes around an extremum; the interval of anything else."""
        if node.op not in _EXTREMA:
            return Constant(output)
        return largest_relaxation(reduced(node, _reduced(node)), inputs, smallest=node.op in _SMALLEST)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """None, but in a logarithm of a sum of exponentials."""
        if node.op != "logsumexp" or not deployment.store:
            return 0.0
        terms = node.inputs[0].shape.numel() // max(1, node.shape.numel())
        return deployment.dot(terms + 40) * (2.0 + 4.0 * (output.magnitude + float(inputs[0].magnitude.max())))


_EXTREMA = {"amax", "amin", "max", "min"}
_SMALLEST = {"amin", "min"}


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

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The norm of the smallest and of the largest absolute values."""
        order: Any = argument(node, 1, "ord", 2)
        if float(order) != 2.0:
            raise unsupported(node, "interval")
        x = inputs[0]
        least = torch.maximum(x.lower, -x.upper).clamp_min(0.0)
        axes = [axis - len(node.inputs[0].shape) for axis in _reduced(node, 2)]
        shape = (-1, *node.inputs[0].shape)
        ends = (torch.linalg.vector_norm(end.reshape(shape), dim=axes) for end in (least, x.magnitude))
        lower, upper = (end.reshape(-1, *entries(node)) for end in ends)
        slack = gamma(x.lower[0].numel() + 16)
        return Interval(lower * (1 - slack), upper * (1 + slack))

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Of the sum of squares and its root, with squares that may underflow."""
        if not deployment.store:
            return 0.0
        terms = node.inputs[0].shape.numel() // max(1, node.shape.numel())
        return deployment.dot(terms + 4) * output.magnitude + 2.0**-60
