"""What is known about each ATen op: its linear operator, and how far it can stretch a change of its inputs."""

from lipcert.rules import (
    activation,
    arithmetic,
    batch_norm,
    convolution,
    interpolation,
    matrix,
    normalisation,
    output,
    pooling,
    reduction,
    selection,
    softmax,
)
from lipcert.rules.base import RULES, AbstractRule, Geometry, LinearNorms, Tier, UnboundedError, rule, tier
from lipcert.rules.layer_norms import LayerNorms

FAMILIES = (
    activation,
    arithmetic,
    batch_norm,
    convolution,
    interpolation,
    matrix,
    normalisation,
    output,
    pooling,
    reduction,
    selection,
    softmax,
)

__all__ = [
    "FAMILIES",
    "RULES",
    "AbstractRule",
    "Geometry",
    "LayerNorms",
    "LinearNorms",
    "Tier",
    "UnboundedError",
    "rule",
    "tier",
]
