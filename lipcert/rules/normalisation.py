"""Normalisation by the statistics of the sample itself: layer norm and group norm.

On a group of n numbers, N(x) = (x - mean) / s with s = sqrt(var + eps) has the Jacobian (P - N N' / n) / s; P takes the
mean away. It is symmetric with eigenvalues in [0, 1/s], and s >= sqrt(eps), so it is 1/sqrt(eps)-Lipschitz in l2;
row and column sums are at most sqrt(n) times the spectral norm. True, and rarely of use.
"""

from __future__ import annotations

import math
from typing import final

from torch import Tensor

from lipcert.graph import Node
from lipcert.records import Norm
from lipcert.rounding import down, product_up, sqrt_up, up
from lipcert.rules.base import AbstractRule, LinearNorms, UnboundedError, rule


@final
@rule("native_layer_norm", "native_group_norm")
class Normalisation(AbstractRule):
    """max |weight| / sqrt(eps)."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:  # noqa: ARG002
        """The bound above, with the group's size for linf and l1."""
        if len(node.inputs) != 1:
            raise UnboundedError(node, "its weights depend on the input")
        if node.op == "native_layer_norm":
            size, weight, eps = math.prod(node.args[1]), node.args[2], float(node.args[4])
        else:
            size, weight, eps = node.inputs[0].shape[1:].numel() // int(node.args[6]), node.args[1], float(node.args[7])
        if not eps > 0.0:
            raise UnboundedError(node, "it divides by a deviation that may vanish")
        largest = float(weight.abs().max()) if isinstance(weight, Tensor) else 1.0
        spread = 1.0 if norm == "l2" else sqrt_up(size)
        return product_up((largest, up(1.0 / down(math.sqrt(eps))), spread, gains[0]))
