"""Batch norm on running statistics: one scale a channel."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import AbstractLinearOperator, DiagonalOperator
from lipcert.records import Enclosure, Norm
from lipcert.rounding import UNIT_ROUNDOFF, product_up
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, UnboundedError, argument, rule, unsupported
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.normalisation import normalising_norm
from lipcert.rules.normalised import Groups, normalised_interval, normalised_relaxation, normalised_rounding
from lipcert.rules.relaxation import AbstractRelaxation

_NO_TRAINING = "_native_batch_norm_legit_no_training"


@final
@rule("native_batch_norm", _NO_TRAINING)
class BatchNorm(AbstractRule):
    """x -> (x - mean) / sqrt(var + eps) * weight + bias.

    With batch statistics (instance norm is captured so) it normalises each channel over its places: see
    `normalisation`'s bound, which is repeated here for l2, linf and l1.
    """

    def operator(self, node: Node, /) -> DiagonalOperator | None:
        """The scale, broadcast over the batch axis and the places; None with batch statistics."""
        if _uses_batch(node):
            return None
        weight, variance = node.args[1], node.args[4]
        root = (variance.to(torch.float64) + _eps(node)).sqrt()
        scale = (torch.ones_like(root) if weight is None else weight.to(torch.float64)) / root
        shape = node.inputs[0].shape
        return DiagonalOperator(scale.reshape(1, -1, *[1] * (len(shape) - 2)), shape)

    def geometry(self, node: Node, /) -> Geometry:
        """Its number of channels."""
        channels = node.inputs[0].shape[1]
        return Geometry(description=f"{'instance' if _uses_batch(node) else 'batch'} norm {channels}")

    def constants(self, node: Node, /) -> dict[Norm, Enclosure] | None:
        """With batch statistics, the true constants, large as they are."""
        if len(node.inputs) != 1 or not _uses_batch(node) or not _eps(node) > 0.0:
            return None
        norms: tuple[Norm, ...] = ("l2", "linf", "l1")
        return {norm: normalising_norm(node.args[1], _eps(node), _places(node), norm) for norm in norms}

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The largest scale; with batch statistics max |weight| / sqrt(eps), times sqrt(places) in linf and l1."""
        if len(node.inputs) != 1:
            raise UnboundedError(node, "its statistics or weights depend on the input")
        if not _uses_batch(node):
            return super().gain(node, gains, norm, norms)
        if not _eps(node) > 0.0:
            raise UnboundedError(node, "it divides by a deviation that may vanish")
        upper = normalising_norm(node.args[1], _eps(node), _places(node), norm).upper
        assert upper is not None
        return product_up((upper, gains[0]))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Exact for fixed statistics; with those of the sample as `normalisation` has it."""
        return normalised_interval(_channels(node), inputs[0]) if _uses_batch(node) else super().interval(node, inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Likewise."""
        if _uses_batch(node):
            return normalised_relaxation(_channels(node), inputs[0])
        return super().relaxation(node, inputs, output)

    def spread(self, node: Node, operator: AbstractLinearOperator, x: Interval, /) -> Tensor:
        """|scale| (max |x| + |mean|) + |bias|: the mean and the bias may cancel in the sum."""
        bias, mean = node.args[2], node.args[3]
        shape = (1, -1, *[1] * (len(node.shape) - 2))
        reach = x.magnitude + mean.abs().reshape(shape)
        size = operator.powered(1).apply(reach) + (0.0 if bias is None else bias.abs().reshape(shape))
        return size * (1 + 64 * UNIT_ROUNDOFF) + 1e-300

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """At most 12 operations, in whichever order scale and shift are formed; constants are read once each."""
        if _uses_batch(node):
            return normalised_rounding(_channels(node), inputs[0], deployment)
        operator = self.operator(node)
        if operator is None:
            return super().rounding(node, inputs, output, deployment)
        return deployment.steps(16) * self.spread(node, operator, inputs[0]) if deployment.store else 0.0


def _channels(node: Node) -> Groups:
    """The channels of one image. Raises UnsupportedOperatorError for several, for live weights and without eps."""
    if len(node.inputs) != 1 or node.shape[0] != 1 or not _eps(node) > 0.0:
        raise unsupported(node, "interval")
    shape = (node.shape[1], node.shape[2:].numel())

    def each(value: Any, otherwise: float) -> Tensor:
        given = torch.full(shape[:1], otherwise, dtype=torch.float64) if value is None else value.to(torch.float64)
        whole: Tensor = given.reshape(1, -1, 1).expand(1, *shape)
        return whole

    return Groups(
        shape=shape,
        entries=entries(node),
        weight=each(node.args[1], 1.0),
        shift=each(node.args[2], 0.0),
        eps=_eps(node),
    )


def _places(node: Node) -> int:
    """How many numbers are normalised together."""
    shape = node.inputs[0].shape
    return shape[0] * shape[2:].numel()


def _uses_batch(node: Node) -> bool:
    return node.op != _NO_TRAINING and bool(node.args[5])


def _eps(node: Node) -> float:
    position = 6 if node.op == _NO_TRAINING else 7
    eps: Any = argument(node, position, "eps")
    return float(eps)
