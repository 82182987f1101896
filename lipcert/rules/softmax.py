"""Softmax and its logarithm along one axis.

softmax      the Jacobian diag(p) - p p' is symmetric; the absolute row sum 2 p_i (1 - p_i) is at most 1/2, hence 1/2 in
             linf and l1, and by Schur's test in l2 (attained at p = (1/2, 1/2, 0, ...)).
log softmax  the Jacobian I - 1 p': row sums are 2 (1 - p_i) <= 2; column sums 1 + (K - 2) p_j <= max(1, K - 1); in l2
             it is an oblique projection, of the norm of its complement |1| |p| <= sqrt(K).
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.records import Norm
from lipcert.rounding import gamma, product_up, sqrt_up
from lipcert.rules.base import AbstractRule, LinearNorms, rule
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval
from lipcert.rules.linearised import Linearised
from lipcert.rules.relaxation import AbstractRelaxation, Constant


@final
@rule("_softmax", "_safe_softmax", "softmax")
class Softmax(AbstractRule):
    """1/2."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """Half the input's gain."""
        return product_up((0.5, gains[0]))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Largest where an entry is at its upper end and the others at their lower ends, and the other way round."""
        x, axis = inputs[0], _axis(node)
        top = x.upper.amax(axis, keepdim=True)
        high, low = torch.exp(x.upper - top), torch.exp(x.lower - top)
        # The exponents are rounded differences, which moves exponentials by as much as they are long.
        slack = gamma(2 * x.lower.shape[axis] + 32) + 2.0**-51 * (top - x.lower).amax(axis, keepdim=True)
        least = 1.0 / (1.0 + _others(high, axis, slack, above=True) / low)
        largest = 1.0 / (1.0 + _others(low, axis, slack, above=False) / high.clamp_min(1e-300))
        return Interval((least * (1 - slack)).clamp(0.0, 1.0), (largest * (1 + slack)).clamp(0.0, 1.0))

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """The interval alone: lines through a softmax are seldom better than that it lies between 0 and 1."""
        return Constant(output)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Exponentials to 16 units and their sum in any order, after a shift that rounds once by |x_i| + max |x|."""
        if not deployment.store:
            return 0.0
        size, axis = inputs[0].magnitude, _axis(node)
        shifted = deployment.accumulate * 2 * (size + size.amax(axis, keepdim=True)).amax(axis, keepdim=True)
        share = deployment.dot(node.shape[node.args[1]] + 40) + 2.0 * shifted * torch.exp(2.0 * shifted)
        return (share * output.magnitude).clamp_max(1.0) + 2.0**-126


@final
@rule("_log_softmax", "log_softmax")
class LogSoftmax(AbstractRule):
    """sqrt(K) in l2, 2 in linf, max(1, K - 1) in l1, for K classes."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The bound above."""
        classes = node.shape[node.args[1]]
        bound = {"l2": sqrt_up(classes), "linf": 2.0, "l1": float(max(1, classes - 1))}[norm]
        return product_up((bound, gains[0]))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """x_i less the logarithm of the sum, which is least with all others at their lower ends."""
        x, axis = inputs[0], _axis(node)
        least, largest = torch.logsumexp(x.lower, axis, keepdim=True), torch.logsumexp(x.upper, axis, keepdim=True)
        size = x.magnitude + x.magnitude.amax(axis, keepdim=True) + 1.0
        box = Interval(x.lower - largest, (x.upper - least).clamp_max(0.0))
        return box.widen(gamma(x.lower.shape[axis] + 64) * size)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """x_i less a number between the least and the largest logarithm of the sum."""
        x, axis = inputs[0], _axis(node)
        least, largest = torch.logsumexp(x.lower, axis, keepdim=True), torch.logsumexp(x.upper, axis, keepdim=True)
        slack = gamma(x.lower.shape[axis] + 64) * (x.magnitude + x.magnitude.amax(axis, keepdim=True) + 1.0)
        middle, radius = 0.5 * (least + largest), 0.5 * (largest - least)
        shape = x.lower.shape
        return Linearised((_same,), -middle.expand(shape), radius.expand(shape) + slack, slack)

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """The sum's relative error, a logarithm to 16 units, and differences of the inputs."""
        if not deployment.store:
            return 0.0
        size = inputs[0].magnitude
        reach = 2.0 + size + size.amax(_axis(node), keepdim=True) + output.magnitude
        return deployment.dot(node.shape[node.args[1]] + 40) * 2.0 * reach


def _axis(node: Node) -> int:
    """The axis of the classes, counted from the end."""
    axis = int(node.args[1])
    return axis if axis < 0 else axis - len(node.shape)


def _others(terms: Tensor, axis: int, slack: Tensor, *, above: bool) -> Tensor:
    """The sum of all other terms along an axis, bounded from one side although it is a difference."""
    total = terms.sum(axis, keepdim=True)
    rest = total - terms
    return (rest + slack * total) if above else (rest - slack * total).clamp_min(0.0)


def _same(rows: Tensor) -> Tensor:
    return rows
