"""Normalisation by the statistics of the sample itself: layer norm, group norm and instance norm.

On a group of n numbers, N(x) = (x - mean) / s with s = sqrt(var + eps) has the Jacobian (P - N N' / n) / s; P takes the
mean away. It is symmetric with eigenvalues in [0, 1/s], and s >= sqrt(eps), so it is 1/sqrt(eps)-Lipschitz in l2;
row and column sums are at most sqrt(n) times the spectral norm. At an input without variance the Jacobian is
P / sqrt(eps), whose diagonal entries are (1 - 1/n) / sqrt(eps): a lower end in every norm. True, and rarely of use.
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.records import Enclosure, Norm, Soundness
from lipcert.rounding import down, product_up, sqrt_up, up
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, UnboundedError, rule, unsupported
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.normalised import Groups, normalised_interval, normalised_relaxation, normalised_rounding
from lipcert.rules.relaxation import AbstractRelaxation


def normalising_norm(weight: Tensor | None, eps: float, size: int, norm: Norm) -> Enclosure:
    """Lipschitz constant of a normalisation over groups of `size` numbers, then a scale."""
    largest = float(weight.abs().max()) if isinstance(weight, Tensor) else 1.0
    root = math.sqrt(eps)
    spread = 1.0 if norm == "l2" else sqrt_up(size)
    lower = down(down(down(largest * down(1.0 - up(1.0 / size))) / up(root)))
    return Enclosure(
        lower=max(0.0, lower),
        upper=product_up((largest, up(1.0 / down(root)), spread)),
        soundness=Soundness.PROVED,
        method="at inputs without variance",
    )


@final
@rule("native_layer_norm", "native_group_norm")
class Normalisation(AbstractRule):
    """max |weight| / sqrt(eps)."""

    def geometry(self, node: Node, /) -> Geometry:
        """Layer norm over 64."""
        return Geometry(description=f"{node.op.removeprefix('native_').replace('_', ' ')} over {_settings(node)[2]}")

    def constants(self, node: Node, /) -> dict[Norm, Enclosure] | None:
        """The true constants, large as they are."""
        weight, eps, size = _settings(node)
        if len(node.inputs) != 1 or not eps > 0.0:
            return None
        norms: tuple[Norm, ...] = ("l2", "linf", "l1")
        return {norm: normalising_norm(weight, eps, size, norm) for norm in norms}

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The bound above, with the group's size for linf and l1."""
        if len(node.inputs) != 1:
            raise UnboundedError(node, "its weights depend on the input")
        weight, eps, size = _settings(node)
        if not eps > 0.0:
            raise UnboundedError(node, "it divides by a deviation that may vanish")
        upper = normalising_norm(weight, eps, size, norm).upper
        assert upper is not None
        return product_up((upper, gains[0]))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Within sqrt(n - 1) deviations, and what the interval of the variance allows."""
        return normalised_interval(_groups(node), inputs[0])

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Linear with the deviation at the centre of its interval."""
        return normalised_relaxation(_groups(node), inputs[0])

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Of mean, variance, root, weight and shift."""
        return normalised_rounding(_groups(node), inputs[0], deployment)


def _groups(node: Node) -> Groups:
    """What is normalised together. Raises UnsupportedOperatorError where weights depend on the input or eps is 0."""
    _, eps, count = _settings(node)
    if len(node.inputs) != 1 or not eps > 0.0:
        raise unsupported(node, "interval")
    weight, shift = node.args[2:4] if node.op == "native_layer_norm" else node.args[1:3]
    rows = node.shape.numel() // count
    return Groups(
        shape=(rows, count),
        entries=entries(node),
        weight=_each(node, weight, 1.0, (rows, count)),
        shift=_each(node, shift, 0.0, (rows, count)),
        eps=eps,
    )


def _each(node: Node, value: Tensor | None, otherwise: float, shape: tuple[int, int]) -> Tensor:
    """A weight for each number, (1, groups, numbers)."""
    whole = torch.full(node.shape, otherwise, dtype=torch.float64)
    if value is not None:
        given = value.to(torch.float64)
        whole = whole.to(given.device)
        by_channel = node.op == "native_group_norm"
        whole = (given.reshape(-1, *[1] * (len(node.shape) - 2)) if by_channel else given).expand(node.shape)
    return whole.reshape(1, *shape)


def _settings(node: Node) -> tuple[Tensor | None, float, int]:
    """The weight, eps, and how many numbers are normalised together."""
    if node.op == "native_layer_norm":
        return node.args[2], float(node.args[4]), math.prod(node.args[1])
    return node.args[1], float(node.args[7]), node.inputs[0].shape[1:].numel() // int(node.args[6])
