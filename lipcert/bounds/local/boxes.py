"""Linear bounds of M' row, entry by entry, for every M that the edges allow.

v = row at the logits, and v_s = sum over the edges s -> z of A' v_z, d v_z, or of each v_z's mean over its window. Two
ways to bound the entries of v_s go together:

* intervals, node by node from the logits down;
* linear bounds: a row r at s gives <r, v_s> = sum over edges of <A r, v_z>, or of sum_j D_j v_z,j with D_j anywhere in
  [a_j, b_j]: the ends of r d for an activation, and for a maximum the least and the largest r_i of the entries that
  can win, as means of r_i lie between them. With v_z,j in [l, u], D_j v_z,j >= min(a v, b v), which is a v for l >= 0,
  b v for u <= 0, and, being concave in v, at least its chord between l and u otherwise:

      D v >= c v + l u (b - a) / (u - l),   c = (a u - b l) / (u - l) in [a, b].

  So rows travel to the logits, where v is known, with an offset. Unit rows bound the entries of v_s. This is the
  backward linear relaxation of the chain of Jacobians (Shi, Wang, Zhang, Kolter, Hsieh, NeurIPS 2022, arXiv 2210.07394;
  Zhang, Zhang, Hsieh, AAAI 2019, arXiv 1810.11783), stated for differences of two evaluations.

Rounding. fl(A r) is within gamma |A| |r| of A r, which changes <A r, v_z> by at most <|r|, gamma |A|' max |v_z|>: the
price of the edge, like that of the slopes r d (4 u max |d| max |v_z|). Rows that meet at a node are added, at u of the
sum each time. Sums of n terms lose gamma_n of their sizes. Everything is taken off the lower bound.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.bounds.local.edges import Edge, Edges, Gate, Linear, Window
from lipcert.graph import Node
from lipcert.operators import AbstractLinearOperator
from lipcert.rounding import UNIT_ROUNDOFF, gamma
from lipcert.rules.interval import Interval

_BYTES = 2**27
_FEW = 16 * UNIT_ROUNDOFF
_TINY = 1e-290


@final
class Boxes:
    """Intervals of v at every node for M functionals of the logits.

    edges   of N samples
    sample  of each functional, (M,)
    rows    the functionals, (M, classes)
    work    multiplications that linear bounds may take in all; nodes they cannot pay for keep their intervals

    at      node -> interval of v, (M, numbers)
    spared  nodes left with intervals though linear bounds would have said more
    """

    def __init__(self, edges: Edges, sample: Tensor, rows: Tensor, *, work: float) -> None:
        self.edges, self.sample, self.rows, self.work = edges, sample, rows, work
        self.users: dict[Node, list[tuple[Node, Edge]]] = {node: [] for node in edges.nodes}
        for node, found in edges.into.items():
            for edge in found:
                self.users[edge.source].append((node, edge))
        self.at: dict[Node, Interval] = {edges.nodes[-1]: Interval(rows, rows)}
        self.prices: dict[Edge, Tensor] = {}
        self.spared: list[Node] = []
        self._bent: set[Node] = set()
        for node in reversed(edges.nodes[:-1]):
            self._enter(node)

    @property
    def gradient(self) -> Interval:
        """Of v at the input."""
        return self.at[self.edges.nodes[0]]

    def _enter(self, node: Node) -> None:
        parts = []
        for user, edge in self.users[node]:
            self.prices[edge] = self._price(edge, self.at[user].magnitude)
            parts.append(self._through(edge, self.at[user], self.prices[edge]))
            if user in self._bent or not isinstance(edge, Linear):
                self._bent.add(node)
        self.at[node] = parts[0]
        for part in parts[1:]:
            last = self.at[node]
            self.at[node] = Interval(last.lower + part.lower, last.upper + part.upper).widen(
                2 * UNIT_ROUNDOFF * (last.magnitude + part.magnitude)
            )
        exact = all(isinstance(edge, Linear) for edge in self.edges.into.get(node, ()))
        if node in self._bent and (node is self.edges.nodes[0] or not exact):
            self._tighten(node)

    def _slopes(self, edge: Gate) -> tuple[Tensor, Tensor]:
        return edge.slopes.lower[self.sample], edge.slopes.upper[self.sample]

    def _price(self, edge: Edge, size: Tensor) -> Tensor:
        """What a row loses on its way over an edge, per unit of each of its entries; size is max |v| at the user."""
        if isinstance(edge, Linear):
            slack = 2 * gamma(edge.operator.terms + 16)
            return slack * adjoint(edge.operator.majorant(), size) + _TINY
        if isinstance(edge, Gate):
            low, high = self._slopes(edge)
            return _FEW * torch.maximum(low.abs(), high.abs()) * size + _TINY
        return _FEW * self._scattered(edge, size, torch.ones_like(size)) + _TINY

    def _scattered(self, edge: Window, values: Tensor, share: Tensor) -> Tensor:
        """The sum over windows of share times value at each entry that may win, (M, numbers of the source)."""
        may_win = edge.may_win[self.sample]
        spread = (share * values)[:, :, None] * may_win
        total = torch.zeros(len(values), edge.source.shape.numel(), dtype=values.dtype, device=values.device)
        return total.index_add_(1, edge.places.flatten(), spread.flatten(1))

    def _through(self, edge: Edge, v: Interval, price: Tensor) -> Interval:
        """The part of v at the source that comes over an edge."""
        if isinstance(edge, Linear):
            centre = adjoint(edge.operator, v.centre)
            radius = adjoint(edge.operator.majorant(), v.radius) * (1 + 2 * gamma(edge.operator.terms + 16))
            return Interval(centre - radius, centre + radius).widen(2 * price)
        if isinstance(edge, Gate):
            ends = torch.stack([d * x for d in self._slopes(edge) for x in (v.lower, v.upper)])
            return Interval(ends.amin(0), ends.amax(0)).widen(2 * price)
        alone = (edge.may_win.sum(2) == 1).to(v.lower.dtype)[self.sample]
        least, most = torch.minimum(alone * v.lower, v.lower), torch.maximum(alone * v.upper, v.upper)
        one = torch.ones_like(least)
        wide = gamma(edge.overlap + 4) * self._scattered(edge, v.magnitude, one)
        return Interval(self._scattered(edge, least, one), self._scattered(edge, most, one)).widen(2 * wide + price)

    def _tighten(self, node: Node) -> None:
        """Cut the interval of v at a node by linear bounds of every entry."""
        count, many = node.shape.numel(), len(self.rows)
        cost = 2.0 * many * count * self._length(node)
        if cost > self.work:
            self.spared.append(node)
            return
        self.work -= cost
        widest = max(n.shape.numel() for n in self.edges.nodes[self.edges.nodes.index(node) :])
        step = max(1, int(_BYTES // (8 * widest * many)))
        unit = torch.eye(count, dtype=torch.float64, device=self.rows.device)
        low = torch.cat([self.lower(node, part) for part in unit.split(step)], 1)
        high = -torch.cat([self.lower(node, -part) for part in unit.split(step)], 1)
        self.at[node] = self.at[node].intersect(Interval(low, high))

    def _length(self, node: Node) -> float:
        """Multiplications of one row from a node to the logits."""
        later = self.edges.nodes[self.edges.nodes.index(node) + 1 :]
        edges = [edge for user in later for edge in self.edges.into[user]]
        return sum(max(e.operator.work if isinstance(e, Linear) else 0.0, e.source.shape.numel()) for e in edges)

    def lower(self, node: Node, rows: Tensor) -> Tensor:
        """At most <row, v> at a node, (M, S); rows (S, numbers of the node)."""
        ledger = _Ledger(rows.expand(len(self.rows), *rows.shape))
        pending = {node: ledger.start}
        for place in self.edges.nodes[self.edges.nodes.index(node) : -1]:
            arrived = pending.pop(place, None)
            if arrived is None:
                continue
            for user, edge in self.users[place]:
                ledger.pay(_inner(arrived.abs(), self.prices[edge]))
                moved = self._moved(edge, arrived, self.at[user], ledger)
                if user in pending:
                    moved = pending[user] + moved
                    ledger.pay(_inner(moved.abs(), 2 * UNIT_ROUNDOFF * self.at[user].magnitude))
                pending[user] = moved
        last = pending[self.edges.nodes[-1]]
        ledger.enter(_inner(last, self.rows), _inner(last.abs(), self.rows.abs()), self.rows.shape[1])
        return ledger.balance

    def _moved(self, edge: Edge, rows: Tensor, v: Interval, ledger: _Ledger) -> Tensor:
        """Rows at the source of an edge -> rows at its end, what is lost on the way entered."""
        if isinstance(edge, Linear):
            flat = rows.flatten(0, 1).reshape(-1, *edge.operator.in_shape)
            return edge.operator.apply(flat).reshape(*rows.shape[:2], -1)
        if isinstance(edge, Gate):
            low, high = (end[:, None] * rows for end in self._slopes(edge))
            ends = torch.minimum(low, high), torch.maximum(low, high)
        else:
            each = rows[:, :, edge.places.flatten()].unflatten(2, edge.places.shape)
            out = ~edge.may_win[self.sample][:, None]
            ends = each.masked_fill(out, torch.inf).amin(3), each.masked_fill(out, -torch.inf).amax(3)
        return _chord(ends, v, ledger)


@final
class _Ledger:
    """Bounds on their way: what is known so far, and the sizes of what was added up."""

    def __init__(self, start: Tensor) -> None:
        self.start = start
        self._total = torch.zeros(start.shape[:2], dtype=start.dtype, device=start.device)
        self._spent = torch.zeros_like(self._total)
        self._terms = 0

    def pay(self, price: Tensor) -> None:
        """Take something off that is at least 0; its own rounding is within a part in a million."""
        self._add(-price * (1 + 1e-6), price)

    def enter(self, value: Tensor, size: Tensor, terms: int) -> None:
        """Add a sum of so many terms, whose sizes sum to `size`."""
        self._add(value - gamma(2 * terms + 16) * size * (1 + 1e-6), size)

    def _add(self, value: Tensor, size: Tensor) -> None:
        self._total, self._spent, self._terms = self._total + value, self._spent + size, self._terms + 4

    @property
    def balance(self) -> Tensor:
        """The bound, less what adding it up lost."""
        return self._total - 2 * gamma(self._terms + 16) * self._spent


def _chord(ends: tuple[Tensor, Tensor], v: Interval, ledger: _Ledger) -> Tensor:
    """Coefficients c of v with D v >= c v + offset for all D between `ends`, (M, S, n); the offset is entered."""
    low, high = ends
    least, most = v.lower[:, None], v.upper[:, None]
    across = ~((least >= 0) | (most <= 0))
    width = torch.where(across, most - least, 1.0)
    chord = (low * most - high * least) / width
    slope = torch.where(across, chord, torch.where(least >= 0, low, high))
    offset = torch.where(across, least * (most / width) * (high - low), 0.0)
    total = offset.sum(2)
    ledger.enter(total, -total, offset.shape[2])
    ledger.pay(_inner(torch.maximum(low.abs(), high.abs()), _FEW * v.magnitude))
    return slope


def adjoint(operator: AbstractLinearOperator, values: Tensor) -> Tensor:
    """A' of flat values: (M, numbers out) -> (M, numbers in)."""
    return operator.adjoint(values.reshape(-1, *operator.out_shape)).flatten(1)


def _inner(rows: Tensor, weights: Tensor) -> Tensor:
    """(M, S, n) with (M, n) -> (M, S)."""
    found: Tensor = torch.bmm(rows, weights[:, :, None])[:, :, 0]
    return found
