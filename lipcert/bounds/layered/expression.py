"""Values between activations as sums over atoms, W_1 a_1 + W_2 a_2 + ... plus a constant that plays no part.

An atom is the input, the result of an activation, or a value whose inside is not looked into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.covariance import frobenius
from lipcert.graph import Node
from lipcert.rounding import UNIT_ROUNDOFF, product_up, sqrt_up, sum_up
from lipcert.rules.base import argument


@final
@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A value as a sum over atoms.

    parts  number of the atom -> its matrices, (B, size of the value, size of the atom)
    error  upper bound on the Frobenius distance of all parts side by side from the exact ones, in each of the B blocks
    """

    parts: Mapping[int, Tensor]
    error: float = 0.0

    @property
    def matrix(self) -> Tensor:
        """All parts side by side, in the order of `parts`."""
        return torch.cat(list(self.parts.values()), dim=2)

    @property
    def length(self) -> float:
        """An upper bound on the Frobenius norm."""
        return sqrt_up(sum_up(product_up((size, size)) for size in map(frobenius, self.parts.values())))

    def scaled(self, factor: Tensor | float) -> Expression:
        """The value times one number, or one number an entry, shape (size, 1)."""
        top = float(torch.as_tensor(factor).abs().max())
        error = sum_up((product_up((top, self.error)), product_up((UNIT_ROUNDOFF, top, 1.0 + 1e-9, self.length))))
        return Expression({atom: part * factor for atom, part in self.parts.items()}, error)

    def plus(self, other: Expression) -> Expression:
        """The sum of two values."""
        parts = dict(self.parts)
        for number, part in other.parts.items():
            parts[number] = parts[number] + part if number in parts else part
        total = Expression(parts)
        rounding = product_up((2 * UNIT_ROUNDOFF, total.length)) if set(self.parts) & set(other.parts) else 0.0
        return Expression(parts, sum_up((self.error, other.error, rounding)))


def sum_of(node: Node, known: Mapping[Node, Expression]) -> Expression | None:
    """A sum or difference of two live values of the node's own shape; None where one is broadcast."""
    if any(source.shape != node.shape for source in node.inputs):
        return None
    alpha = float(argument(node, 2, "alpha", 1))  # type: ignore[arg-type]
    factors = {"add": (1.0, alpha), "sub": (1.0, -alpha), "rsub": (-alpha, 1.0)}[node.op]
    first, second = (known[term].scaled(factor) for term, factor in zip(node.args[:2], factors, strict=True))
    return first.plus(second)


def atoms_of(values: Iterable[Expression]) -> list[int]:
    """The atoms that any of these values is made of."""
    return list(dict.fromkeys(number for value in values for number in value.parts))
