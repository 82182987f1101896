"""Products with a constant matrix: fully connected layers, on one row or on many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import torch.fx
from torch import Size, Tensor

from lipcert.graph import Node
from lipcert.operators import AbstractLinearOperator, BlockDiagonalOperator, DenseOperator, SeparableOperator
from lipcert.records import Enclosure, Norm, Soundness
from lipcert.rounding import gamma, product_up, sum_up, up
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, UnboundedError, argument, copies_gain, rule
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.products import matrix_interval, matrix_relaxation
from lipcert.rules.relaxation import AbstractRelaxation

# Position of the two factors, and of what is added to their product.
_FACTORS = {"mm": (0, 1), "bmm": (0, 1), "linear": (0, 1), "addmm": (1, 2), "baddbmm": (1, 2)}
# Operations between a product of attention and its softmax, at most: scales, masks, reshapes.
_NEAR = 8
_ADDEND = {"linear": 2, "addmm": 0, "baddbmm": 0}


@final
@rule(*_FACTORS)
class MatrixProduct(AbstractRule):
    """x W + b and W x + b. A product of two live matrices has no Lipschitz constant on the whole space."""

    def operator(self, node: Node, /) -> AbstractLinearOperator | None:
        """The product with the constant factor, on every row or column of the live one."""
        left, right = _factors(node)
        if not isinstance(left, Tensor) and not isinstance(right, Tensor):
            return None
        right = right.T if node.op == "linear" and isinstance(right, Tensor) else right
        scale = float(argument(node, 4, "alpha", 1.0)) if node.op in {"addmm", "baddbmm"} else 1.0  # type: ignore[arg-type]
        if isinstance(left, Node):
            return _product(left.shape, right * scale, on_the_left=False)
        return _product(right.shape, left * scale, on_the_left=True)

    def geometry(self, node: Node, /) -> Geometry:
        """Sizes of one row, and how many rows there are."""
        operator = self.operator(node)
        if operator is None:
            left, right = ("x".join(map(str, factor.shape[-2:])) for factor in _factors(node))
            words = "attention product" if _in_attention(node) else "product of two inputs"
            return Geometry(description=f"{words} {left} by {right}")
        rows = operator.in_shape[:-1].numel()
        many = f" on {rows} rows" if rows > 1 else ""
        return Geometry(description=f"linear {operator.in_shape[-1]}->{operator.out_shape[-1]}{many}")

    def constants(self, node: Node, /) -> dict[Norm, Enclosure] | None:
        """None exists for a product of two live matrices, and a table should say so."""
        if not all(isinstance(factor, Node) for factor in _factors(node)):
            return None
        norms: tuple[Norm, ...] = ("l2", "linf", "l1")
        missing = Enclosure(
            lower=0.0,
            upper=None,
            unbounded=True,
            soundness=Soundness.PROVED,
            method=f"unbounded globally: {_reason(node)}",
        )
        return dict.fromkeys(norms, missing)

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The norm of the constant factor; what is added may be live too."""
        left, right = _factors(node)
        if isinstance(left, Node) and isinstance(right, Node):
            raise UnboundedError(node, _reason(node))
        by_node = dict(zip(node.inputs, gains, strict=True))
        terms = []
        factor = left if isinstance(left, Node) else right
        if isinstance(factor, Node):
            terms.append(product_up((norms.upper(node, norm), by_node[factor])))
        addend = argument(node, _ADDEND[node.op], "bias") if node.op in _ADDEND else None
        if isinstance(addend, Node):
            beta = abs(float(argument(node, 3, "beta", 1.0))) if node.op != "linear" else 1.0  # type: ignore[arg-type]
            copies = copies_gain(node.shape.numel() // addend.shape.numel(), norm)
            terms.append(product_up((up(beta) if beta != 1.0 else 1.0, copies, by_node[addend])))
        return sum_up(terms)

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Centre and radius; of two live matrices by products of both."""
        if not _bilinear(node):
            return super().interval(node, inputs)
        return matrix_interval(*_matrices(node, inputs)).reshape(entries(node))

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Exact; a product of two live matrices is linearised at the centres."""
        if not _bilinear(node):
            return super().relaxation(node, inputs, output)
        return matrix_relaxation(*_matrices(node, inputs), _views(node))

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """A sum of products in any order."""
        if not _bilinear(node):
            return super().rounding(node, inputs, output, deployment)
        first, second = _matrices(node, inputs)
        terms = first.lower.shape[-1]
        size = first.magnitude @ second.magnitude
        slack = deployment.dot(terms) * (1 + gamma(terms + 16))
        return slack * size.reshape(-1, *entries(node)) if slack else 0.0


def _bilinear(node: Node) -> bool:
    """Whether both factors are live and nothing is added."""
    return node.op in {"mm", "bmm"} and len(node.inputs) == 2


def _matrices(node: Node, inputs: tuple[Interval, ...]) -> tuple[Interval, Interval]:
    """The factors with axes (N, blocks, rows, columns)."""
    first, second = (
        x.reshape(Size([1] * (3 - len(source.shape)) + list(source.shape)))
        for x, source in zip(inputs, node.inputs, strict=True)
    )
    return first, second


def _views(node: Node) -> tuple[Callable[[Tensor], Tensor], ...]:
    """Rows of the node as blocks of matrices; rows of matrices as those of either factor; values of the node."""
    blocks = Size([1] * (3 - len(node.shape)) + list(node.shape))
    first, second = (entries(source) for source in node.inputs)
    return (
        lambda rows: rows.reshape(*rows.shape[:2], *blocks),
        lambda rows: rows.reshape(*rows.shape[:2], *first),
        lambda rows: rows.reshape(*rows.shape[:2], *second),
        lambda values: values.reshape(-1, *entries(node)),
    )


def _reason(node: Node) -> str:
    """Why there is no global constant. Source for attention: Kim, Papamakarios, Mnih, ICML 2021."""
    if _in_attention(node):
        return "dot-product attention multiplies values that both depend on the input"
    return "a product of two values that both depend on the input"


def _in_attention(node: Node) -> bool:
    """Whether a softmax stands a few operations before or after the product."""
    ahead = [node.raw]
    behind = list(node.inputs)
    for _ in range(_NEAR):
        if any("softmax" in str(raw.target) for raw in ahead) or any("softmax" in source.op for source in behind):
            return True
        ahead = [user for raw in ahead for user in raw.users if not _multiplies(user)]
        behind = [source for found in behind if found.op not in _FACTORS for source in found.inputs]
    return False


def _multiplies(raw: torch.fx.Node) -> bool:
    return any(str(raw.target).startswith(f"aten.{op}.") for op in _FACTORS)


def _factors(node: Node) -> tuple[Any, Any]:
    left, right = _FACTORS[node.op]
    return node.args[left], node.args[right]


def _product(live: Size, constant: Tensor, *, on_the_left: bool) -> AbstractLinearOperator:
    """X -> x C, or x -> C x, for x of shape `live`: (rows, columns) or (batch, rows, columns)."""
    blocks = constant if constant.ndim == 3 else constant[None]
    shape = live[-2:]

    def one(matrix: Tensor) -> AbstractLinearOperator:
        factor = matrix if on_the_left else matrix.T
        if not on_the_left and shape[0] == 1:
            return DenseOperator(factor, in_shape=shape, out_shape=(1, factor.shape[0]))
        return SeparableOperator((factor, None) if on_the_left else (None, factor), shape)

    if len(blocks) == 1:
        return one(blocks[0])
    first = one(blocks[0])
    same = all(bool((block == blocks[0]).all()) for block in blocks[1:])
    return BlockDiagonalOperator([first] * len(blocks) if same else [one(block) for block in blocks])
