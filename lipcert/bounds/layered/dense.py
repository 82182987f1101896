"""Values as flat vectors, affine maps between them as dense matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.covariance import frobenius
from lipcert.bounds.layered.expression import Expression, sum_of
from lipcert.bounds.layered.frame import AbstractFrame
from lipcert.bounds.layered.pools import Pool
from lipcert.graph import Node
from lipcert.norms.base import ENTRY_ERROR
from lipcert.operators import AbstractLinearOperator
from lipcert.rounding import gamma, product_up, sqrt_up, sum_up
from lipcert.rules.base import RULES
from lipcert.rules.layer_norms import LayerNorms
from lipcert.rules.selection import sources
from lipcert.rules.slopes import Range


@final
class DenseFrame(AbstractFrame):
    """One block; an atom has as many numbers as the value."""

    def __init__(self, norms: LayerNorms) -> None:
        self.norms = norms
        self.blocks = torch.zeros(1, 1, 1, dtype=torch.float64, device=norms.graph.device)

    def size(self, node: Node) -> int:
        """All its numbers."""
        return node.shape.numel()

    def groups(self, node: Node) -> Tensor:
        """One group a channel where there are places, else one an entry."""
        size = self.size(node)
        places = node.shape[2:].numel() if len(node.shape) > 2 else 1
        return torch.arange(size) // places if node.shape[0] == 1 else torch.arange(size)

    def column(self, end: float | Tensor, node: Node) -> Tensor:
        """Spread over the node's shape."""
        values = torch.as_tensor(end, dtype=torch.float64, device=self.blocks.device)
        return values.expand(node.shape).reshape(-1, 1)

    def slopes(self, ends: Range, node: Node) -> tuple[Tensor, Tensor]:
        """Its own."""
        return self.column(ends[0], node), self.column(ends[1], node)

    def cut(self, _: Node) -> None:
        """All places are valid."""
        return

    def pooled(self, node: Node, pool: Pool, inner: Expression) -> tuple[Expression, Expression, Tensor]:
        """As matrices; one output a window."""
        mean, deviations, window = (x.to(self.blocks.device) for x in pool.matrices(node))
        return _times(mean, inner), _times(deviations, inner), window

    def express(self, node: Node, known: Mapping[Node, Expression]) -> Expression | None:
        """Through the node's operator, a sum of two live values, or several side by side."""
        rule = RULES[node.op]() if node.op in RULES else None
        if node.op == "getitem":
            return known[node.inputs[0]] if node.args[1] == 0 else None
        if rule is None:
            return None
        if len(node.inputs) == 1:
            operator = self.norms.operator(node) or rule.link(node)
            return None if operator is None else _applied(operator, known[node.inputs[0]])
        if node.op in {"add", "sub", "rsub"}:
            return sum_of(node, known)
        return _joined(node, known) if node.op in {"cat", "stack"} else None


def norm_above(operator: AbstractLinearOperator) -> float:
    """An upper bound on the spectral norm without a search: root of the largest row sum times column sum of |A|."""
    majorant, device = operator.majorant(), operator.device
    rows = majorant.apply(torch.ones(1, *operator.in_shape, dtype=torch.float64, device=device)).max()
    columns = majorant.adjoint(torch.ones(1, *operator.out_shape, dtype=torch.float64, device=device)).max()
    return sqrt_up(product_up((float(rows), float(columns), 1.0 + 4 * gamma(operator.terms + 4) + 4 * ENTRY_ERROR)))


def _applied(operator: AbstractLinearOperator, inner: Expression) -> Expression:
    """A linear map after an expression; the entries of its matrix may be off by a few roundings of the weights."""
    relative = sum_up((gamma(operator.terms + 2), ENTRY_ERROR * operator.depth * 1.01))
    parts, lost = {}, [product_up((norm_above(operator), inner.error))]
    for number, part in inner.parts.items():
        columns = part[0].mT.reshape(-1, *operator.in_shape)
        parts[number] = operator.apply(columns).flatten(1).mT[None]
        spread = operator.majorant().apply(columns.abs()).flatten(1)
        lost.append(product_up((relative, 1.0 + 1e-6, frobenius(spread[None]))))
    return Expression(parts, sum_up(lost))


def _times(matrix: Tensor, inner: Expression) -> Expression:
    """A matrix, entries off by a rounding, after an expression."""
    length = frobenius(matrix[None])
    parts, lost = {}, [product_up((length, inner.error))]
    for number, part in inner.parts.items():
        parts[number] = (matrix @ part[0])[None]
        lost.append(product_up((gamma(matrix.shape[1] + 8), length, frobenius(part))))
    return Expression(parts, sum_up(lost))


def _joined(node: Node, known: Mapping[Node, Expression]) -> Expression:
    """Live values side by side; rows of constants are zero."""
    places = sources(node)
    inputs = [known[source] for source in node.inputs]
    sizes = [source.shape.numel() for source in node.inputs]
    widths = {number: part.shape[2] for inner in inputs for number, part in inner.parts.items()}
    parts = {}
    for number, width in widths.items():
        nothing = torch.zeros(1, 1, width, dtype=torch.float64, device=places.device)
        rows = [inner.parts.get(number, nothing.expand(1, n, width)) for inner, n in zip(inputs, sizes, strict=True)]
        parts[number] = torch.cat([*rows, nothing], dim=1)[:, places]
    copies = float(torch.bincount(places[places >= 0]).max()) if bool((places >= 0).any()) else 0.0
    squares = sum_up(product_up((inner.error, inner.error)) for inner in inputs)
    return Expression(parts, product_up((sqrt_up(copies), sqrt_up(squares))))
