"""What is known about an ATen op, and where it is filed."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar, final

from lipcert.graph import Node
from lipcert.operators import AbstractLinearOperator
from lipcert.records import Enclosure, Norm, Soundness
from lipcert.registry import Registry
from lipcert.rounding import down, product_up, sqrt_up

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

    def operator(self, node: Node, /) -> AbstractLinearOperator | None:  # noqa: ARG002
        """The linear part of a node that is affine in its one live input; None where that is the identity or not so."""
        return None

    def constants(self, node: Node, /) -> dict[Norm, Enclosure] | None:  # noqa: ARG002
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
