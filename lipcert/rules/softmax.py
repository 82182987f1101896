"""Softmax and its logarithm along one axis.

softmax      the Jacobian diag(p) - p p' is symmetric; the absolute row sum 2 p_i (1 - p_i) is at most 1/2, hence 1/2 in
             linf and l1, and by Schur's test in l2 (attained at p = (1/2, 1/2, 0, ...)).
log softmax  the Jacobian I - 1 p': row sums are 2 (1 - p_i) <= 2; column sums 1 + (K - 2) p_j <= max(1, K - 1); in l2
             it is an oblique projection, of the norm of its complement |1| |p| <= sqrt(K).
"""

from __future__ import annotations

from typing import final

from lipcert.graph import Node
from lipcert.records import Norm
from lipcert.rounding import product_up, sqrt_up
from lipcert.rules.base import AbstractRule, LinearNorms, rule


@final
@rule("_softmax", "_safe_softmax", "softmax")
class Softmax(AbstractRule):
    """1/2."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """Half the input's gain."""
        return product_up((0.5, gains[0]))


@final
@rule("_log_softmax", "log_softmax")
class LogSoftmax(AbstractRule):
    """sqrt(K) in l2, 2 in linf, max(1, K - 1) in l1, for K classes."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The bound above."""
        classes = node.shape[node.args[1]]
        bound = {"l2": sqrt_up(classes), "linf": 2.0, "l1": float(max(1, classes - 1))}[norm]
        return product_up((bound, gains[0]))
