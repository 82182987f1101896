"""What is known about an ATen op, and where it is filed."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar, final

import torch
from torch import Tensor

from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Node
from lipcert.operators import AbstractLinearOperator, DenseOperator, DiagonalOperator
from lipcert.records import Enclosure, Norm, Soundness
from lipcert.registry import Registry
from lipcert.rounding import down, gamma, product_up, sqrt_up
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.relaxation import AbstractRelaxation, Affine, Constant, Elementwise

T = TypeVar("T", bound="type[AbstractRule]")


class Tier(StrEnum):
    """What an op allows.

    bounds    it has a rule: certificates go through it
    gradient  it can be run and differentiated, no more; certificates are Skipped and name it
    """

    BOUNDS = "bounds"
    GRADIENT = "gradient"


@final
class UnboundedError(Exception):
    """A node with a rule and without a finite Lipschitz constant on the whole space. The message says which and why."""

    def __init__(self, node: Node, reason: str) -> None:
        super().__init__(f"{node.op} at {node.name}: {reason}")


class LinearNorms(Protocol):
    """Upper ends of the norms of the linear part of nodes, computed once and kept."""

    def upper(self, node: Node, norm: Norm) -> float:
        """Upper end of the induced norm of the node's operator."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """A layer in words and numbers, for the report."""

    description: str
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    transposed: bool = False


class AbstractRule(ABC):  # noqa: B024  every method has a meaningful default
    """One family of ops. What it does not override is the behaviour of an affine op with one live input."""

    def operator(self, node: Node, /) -> AbstractLinearOperator | None:
        """The linear part of a node that is affine in its one live input; None where that is the identity or not so."""
        return None

    def constants(self, node: Node, /) -> dict[Norm, Enclosure] | None:
        """Lipschitz constants of a layer that is not affine, if a table of layers should show it; else None."""
        return None

    def link(self, node: Node, /) -> AbstractLinearOperator | None:
        """The linear part where the node is affine in its one live input, copies and sums with constants among them."""
        return self.operator(node) if len(node.inputs) == 1 else None

    def geometry(self, node: Node, /) -> Geometry:
        """How a report describes the node."""
        return Geometry(description=node.op.replace("_", " "))

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """Upper bound on the Lipschitz constant from the graph's input to this node, `norm` on both sides.

        gains   the same for each of `node.inputs`
        Raises UnboundedError where there is none.
        """
        (gain,) = gains
        return product_up((norms.upper(node, norm), gain))

    # Bounds on a region. The node's constants are float64; tensors of values are (N, *entries(node)). `inputs` are
    # the intervals of `node.inputs`. `getitem` of an op in PIECES is handed the intervals of that op's inputs.

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Where the node's value lies for inputs in the intervals, in real arithmetic, rounded outward.

        Here: of a node affine in its one live input. Raises UnsupportedOperatorError, naming the op, where nothing
        is known.
        """
        operator = self._affine(node)
        if operator is None:
            raise unsupported(node, "interval")
        (x,) = inputs
        value = apply(operator, node, x.centre) + offset(node)
        width = apply(operator.majorant(), node, x.radius)
        box = Interval(value - width, value + width)
        return box.widen(gamma(operator.terms + 16) * self.spread(node, operator, x))

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Linear bounds of the node's value for inputs in the intervals; `output` holds its real-arithmetic value.

        Here: exact for a node affine in its one live input, the constant bounds of `output` for any other.
        """
        operator = self._affine(node)
        if operator is None:
            return Constant(output, len(inputs))
        source, shape = entries(node.inputs[0]), operator.out_shape

        def adjoint(rows: Tensor) -> Tensor:
            return operator.adjoint(rows.reshape(-1, *shape)).reshape(-1, *source)

        slack, constant = gamma(operator.terms + 16) * self.spread(node, operator, inputs[0]), offset(node)
        if isinstance(operator, DiagonalOperator):
            slope = operator.scale.expand(node.shape).reshape(1, *entries(node))
            return Elementwise(slope, slope, constant, constant, slack, exact=True)
        return Affine(
            (adjoint,), constant, slack, matrix=operator.weight if isinstance(operator, DenseOperator) else None
        )

    def rounding(
        self,
        node: Node,
        inputs: tuple[Interval, ...],
        output: Interval,
        deployment: Deployment,
        /,
    ) -> Tensor | float:
        """At least |deployed value - op in real arithmetic at the deployed inputs|, an element each.

        Here: of a sum of products in any order. Raises UnsupportedOperatorError where nothing is known.
        """
        operator = self._affine(node)
        if operator is None:
            raise unsupported(node, "rounding")
        slack = deployment.dot(operator.terms)
        return slack * self.spread(node, operator, inputs[0]) if slack else 0.0

    def spread(self, node: Node, operator: AbstractLinearOperator, x: Interval, /) -> Tensor:
        """|A| max |x| + |b|, shape (N, *entries), to which rounding errors of A x + b are proportional.

        Its own sums of non-negative numbers are low by a factor of at most 1 - gamma, which is made good here.
        """
        size = apply(operator.majorant(), node, x.magnitude) + offset(node).abs()
        return size * (1 + gamma(operator.terms + 16)) + _TINY

    def _affine(self, node: Node, /) -> AbstractLinearOperator | None:
        return self.link(node) if len(node.inputs) == 1 else None


def unsupported(node: Node, what: str) -> UnsupportedOperatorError:
    """The error of an op without a rule of some kind."""
    return UnsupportedOperatorError(
        f"no {what} rule for {node.op} (at {node.name})",
        operators=(node.op,),
        hint="Without one no bound on a region can be proved; everything else is reported.",
    )


def apply(operator: AbstractLinearOperator, node: Node, x: Tensor) -> Tensor:
    """The operator on (N, *entries) of the node's input; it may count axes of length 1 otherwise than the node."""
    return operator.apply(x.reshape(-1, *operator.in_shape)).reshape(-1, *entries(node))


def offset(node: Node) -> Tensor:
    """An affine node's value at zero, shape (1, *entries), in the op's own float64 arithmetic."""
    with torch.no_grad():
        value = node.run(
            *(torch.zeros(source.shape, dtype=torch.float64, device=_device(node)) for source in node.inputs)
        )
    first: Tensor = value if isinstance(value, Tensor) else value[0]
    return first.reshape(1, *entries(node))


_TINY = 1e-300


def _device(node: Node) -> torch.device:
    return next((arg.device for arg in node.args if isinstance(arg, Tensor)), torch.device("cpu"))


RULES: Registry[type[AbstractRule]] = Registry("rule")


def rule(*ops: str) -> Callable[[T], T]:
    """File a rule under every op it speaks of."""

    def file(kind: T) -> T:
        for op in ops:
            RULES.register(op)(kind)
        return kind

    return file


def tier(node: Node) -> Tier:
    """What this node allows. The input itself needs no rule."""
    return Tier.BOUNDS if node.op == "input" or node.op in RULES else Tier.GRADIENT


def copies_gain(copies: int, norm: Norm) -> float:
    """Norm of the map that repeats each entry `copies` times."""
    return {"l2": sqrt_up(copies), "l1": float(copies), "linf": 1.0 if copies else 0.0}[norm]


def copies_norm(copies: int, norm: Norm) -> Enclosure:
    """The same from both sides."""
    upper = copies_gain(copies, norm)
    lower = down(math.sqrt(copies)) if norm == "l2" else upper
    return Enclosure(lower=lower, upper=upper, soundness=Soundness.EXACT, method="overlapping windows")


def argument(node: Node, position: int, name: str, default: object = None) -> object:
    """An argument given by position or by name, or its default in the op's schema."""
    if len(node.args) > position:
        return node.args[position]
    return node.kwargs.get(name, default)
