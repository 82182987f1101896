"""A linear map and a distance from it: <a, z> >= sum_i <A_i' a, x_i> + <a, offset> - <|a|, radius>."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Size, Tensor

from lipcert.graph import Node
from lipcert.rules.interval import entries
from lipcert.rules.relaxation import AbstractRelaxation, Pulled, inner

# Rows (N or 1, S, *entries(node)) to (N or 1, S, *entries(input)); other than `Affine`'s it may differ by sample.
Adjoint = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Linearised(AbstractRelaxation):
    """|z - sum_i A_i x_i - offset| <= radius in every element.

    adjoints        one an input; None where it does not enter
    offset, radius  (N or 1, *entries)
    linear          whether the radius is that of rounding alone
    """

    adjoints: tuple[Adjoint | None, ...]
    offset: Tensor
    radius: Tensor
    slack: Tensor | float = 0.0
    linear: bool = False

    @property
    def offset_size(self) -> Tensor:
        """Of the offset and the radius."""
        return self.offset.abs() + self.radius

    def pull(self, rows: Tensor, slopes: Tensor | None = None) -> Pulled:
        """The adjoints, and the radius against the rows whatever their sign."""
        coefficients = tuple(None if adjoint is None else adjoint(rows) for adjoint in self.adjoints)
        return coefficients, inner(rows, self.offset) - inner(rows.abs(), self.radius)


def spread_out(node: Node, source: Node, values: Tensor) -> Tensor:
    """Values (N, *entries(source)) broadcast to (N, *entries(node))."""
    missing = len(node.shape) - len(source.shape)
    shaped = values.reshape(-1, *[1] * missing, *source.shape)
    return shaped.broadcast_to(len(shaped), *node.shape).reshape(-1, *entries(node))


def summed_up(node: Node, source: Node, rows: Tensor) -> Tensor:
    """The adjoint of broadcasting: rows (N, S, *entries(node)) to (N, S, *entries(source))."""
    leading = rows.shape[:2]
    if source.shape == node.shape:
        return rows.reshape(*leading, *entries(source))
    missing = len(node.shape) - len(source.shape)
    shaped = rows.reshape(*leading, *node.shape)
    padded = Size([1] * missing + list(source.shape))
    axes = [2 + at for at, (few, many) in enumerate(zip(padded, node.shape, strict=True)) if few != many]
    return (shaped.sum(axes, keepdim=True) if axes else shaped).reshape(*leading, *entries(source))


def copies_of_source(node: Node, source: Node) -> int:
    """How often broadcasting repeats an entry."""
    return node.shape.numel() // max(1, source.shape.numel())


def weighted(node: Node, source: Node, weights: Tensor) -> Adjoint:
    """The adjoint of x -> weights times x broadcast; weights (N or 1, *entries(node))."""

    def adjoint(rows: Tensor) -> Tensor:
        return summed_up(node, source, rows * weights.unsqueeze(1))

    return adjoint


def constant(node: Node, value: object) -> Tensor:
    """A number or tensor broadcast to (1, *entries(node)) in float64."""
    tensor = torch.as_tensor(value, dtype=torch.float64)
    return tensor.broadcast_to(node.shape).reshape(1, *entries(node))
