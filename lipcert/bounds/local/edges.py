"""How the difference of two evaluations of a network passes from node to node, in a region.

Let x and x' lie in the region, and let D z = z(x) - z(x') for each node. Then D z is, exactly,

* A D u for a node that is affine with linear part A;
* d D u, entry by entry, for an activation, each d a difference quotient of it in the interval of u;
* for a maximum over a window, a mean of the D u_i of those entries i that can be the largest somewhere in the region:
  max u - max u' is at most D u_i for i the winner at x, and at least D u_i for i the winner at x'.

So D logits = M D x for a product and sum M of such matrices. What holds of M' row for all of them bounds
<row, D logits> by ||M' row||_q ||D x||_p, q dual to p; no derivative is taken, and kinks need no care. (Jacobians in
the region are limits of such M.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.bounder import Bounder, Intervals
from lipcert.bounds.local.slopes import slope_interval
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Node
from lipcert.norms import spectral_norm
from lipcert.operators import AbstractLinearOperator, DiagonalOperator, GatherOperator
from lipcert.rules.base import RULES
from lipcert.rules.curves import curve_of
from lipcert.rules.interval import Interval
from lipcert.rules.largest import Windows
from lipcert.rules.output import PIECES
from lipcert.rules.pooling import max_pool_steps
from lipcert.rules.selection import sources as places_of
from lipcert.rules.self_gates import self_gated
from lipcert.rules.sums import signed_terms
from lipcert.rules.window_places import sliding

_JOINS = {"cat", "stack"}
_SUMS = {"add", "sub", "rsub"}


@final
@dataclass(frozen=True, eq=False)
class Linear:
    """D z gets A D u. Values are flat: (batch, numbers)."""

    source: Node
    operator: AbstractLinearOperator

    @cached_property
    def norm(self) -> float:
        """At least the spectral norm."""
        upper = spectral_norm(self.operator, effort="fast", failure=0.0).upper
        assert upper is not None
        return upper


@final
@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """D z = d D u with d in `slopes`, (N, numbers)."""

    source: Node
    slopes: Interval


@final
@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """D z_j is a mean of D u_i over some i of the window j.

    places   (outputs, K), 0 where there is none
    may_win  (N, outputs, K): which of them count
    overlap  the largest number of windows over one entry
    """

    source: Node
    places: Tensor
    may_win: Tensor
    overlap: int


Edge = Linear | Gate | Window


@final
@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """A network between two evaluations in the regions of N samples.

    nodes  in order of execution, the input first, the logits last; only those that reach the logits
    into   node -> one edge for each time it reads a value
    """

    nodes: tuple[Node, ...]
    into: Mapping[Node, tuple[Edge, ...]]


def edges_of(bounder: Bounder, intervals: Intervals, known: dict[Node, tuple[Linear, ...]] | None = None) -> Edges:
    """The edges of a network whose values lie in `intervals`, in real arithmetic too.

    known  linear edges made before on the same bounder, whose norms are not to be computed again; it is added to
    Raises UnsupportedOperatorError, naming the op, at a node of any other kind.
    """
    plan, known = bounder.plan, {} if known is None else known
    nodes = tuple(node for node in plan.nodes if node not in plan.idle)
    if nodes[0].op != "input":
        raise _unsupported(plan.output)
    into: dict[Node, tuple[Edge, ...]] = {}
    for node in nodes[1:]:
        made = known.get(node) or _edges(node, plan.sources[node], intervals)
        if all(isinstance(edge, Linear) for edge in made):
            known[node] = made  # type: ignore[assignment]
        into[node] = made
    return Edges(nodes, into)


def _edges(node: Node, sources: tuple[Node, ...], intervals: Intervals) -> tuple[Edge, ...]:
    if node.op in _SUMS and len(sources) > 1:
        return tuple(_term(node, term, factor) for term, factor in signed_terms(node))
    if node.op in _JOINS and len(sources) > 1:
        return tuple(_parts(node, sources))
    if len(sources) != 1:
        raise _unsupported(node)
    (source,) = sources
    gated = self_gated(node)
    curve = curve_of(node) if gated is None else gated.curve
    if curve is not None and source.shape == node.shape:
        slopes = slope_interval(node, curve, intervals[source])
        return (Gate(source, slopes.reshape(torch.Size([node.shape.numel()]))),)
    if node.op.startswith("max_pool"):
        return (_window(node, source, intervals[source]),)
    if node.op == "getitem" and node.args[1] == 0 and node.args[0].op not in PIECES:
        return (_term(node, source, 1.0),)
    operator = RULES[node.op]().link(node)
    if operator is None or not _knows_entries(operator):
        raise _unsupported(node)
    return (Linear(source, operator),)


def _knows_entries(operator: AbstractLinearOperator) -> bool:
    try:
        operator.majorant()
    except NotImplementedError:
        return False
    return True


def _term(node: Node, source: Node, factor: float) -> Linear:
    if source.shape != node.shape:
        raise _unsupported(node)
    return Linear(source, DiagonalOperator(torch.tensor(factor, dtype=torch.float64), node.shape))


def _parts(node: Node, sources: tuple[Node, ...]) -> list[Linear]:
    """One edge an input, zero where the other ones stand."""
    places, start, found = places_of(node), 0, []
    for source in sources:
        count = source.shape.numel()
        mine = (places >= start) & (places < start + count)
        index = torch.where(mine, places - start, -1).reshape(node.shape)
        found.append(Linear(source, GatherOperator(index, source.shape)))
        start += count
    return found


def _window(node: Node, source: Node, reads: Interval) -> Window:
    """Entries that can be the largest: those whose upper end reaches the largest lower end."""
    windows: Windows = sliding(node, max_pool_steps(node)).on(reads.lower.device)
    lower, upper = windows.spread([reads.lower]), windows.spread([reads.upper])
    # NaN, and ends that crossed, must rule nothing out.
    may_win = ~(upper < torch.minimum(lower, upper).amax(2, keepdim=True)) & ~windows.absent
    return Window(source, windows.places.clamp_min(0), may_win, windows.overlap)


def _unsupported(node: Node) -> UnsupportedOperatorError:
    named = node.inputs[0] if node.op == "getitem" else node
    return UnsupportedOperatorError(
        f"no local Lipschitz constant goes through {named.op} (at {named.name})",
        operators=(named.op,),
        hint="Local constants take affine maps, activations, max pooling and joined branches; the rest is reported.",
    )
