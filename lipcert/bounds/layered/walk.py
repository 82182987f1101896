"""The ellipsoid of increments carried from one node of a graph to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import final

from torch import Tensor

from lipcert.bounds.layered.expression import Expression, atoms_of
from lipcert.bounds.layered.frame import AbstractFrame
from lipcert.bounds.layered.increments import Increments, Multipliers, equalised, isotropic, radius
from lipcert.bounds.layered.pools import pool_of, postponed
from lipcert.graph import Node
from lipcert.rules.base import RULES, UnboundedError
from lipcert.rules.layer_norms import LayerNorms
from lipcert.rules.slopes import Range, gate_range, slope_range

MOST_ATOMS = 12_600
_CLOSED = 0.9


@final
class Path:
    """Nodes from one place that all goes through to another, and what does not change from walk to walk.

    nodes  in order of execution; the first is where the increments are known, the last where they are wanted
    gains  upper bounds on the constants input -> node in l2, for every node
    frame  how values are written
    """

    def __init__(
        self,
        norms: LayerNorms,
        nodes: Sequence[Node],
        gains: Mapping[Node, float],
        frame: AbstractFrame,
    ) -> None:
        self.norms, self.nodes, self.gains, self.frame = norms, nodes, gains, frame
        self.unit = frame.atom(0, nodes[0])
        self.ball = Increments.ball(gains[nodes[0]], self.unit)
        self.expressions: dict[Node, Expression | None] = {nodes[0]: self.unit}
        self.last = last_use(nodes)
        self.place = {node: place for place, node in enumerate(nodes)}
        self.pooled: dict[Node, tuple[Expression, Expression, Tensor]] = {}
        self.behind = postponed(nodes)
        self.early = set(self.behind.values())

    def walk(
        self, choose: Callable[[Node], Multipliers] = lambda _: isotropic, start: Increments | None = None
    ) -> Tensor | None:
        """Above the matrix of the last node's increments, (B, n, n); None where no ellipsoid was found.

        choose  the multipliers of each activation, as a function of the matrix of what it reads
        start   the ellipsoid at the first node, in the atom `unit`; a ball of its gain where nothing more is known
        """
        walk = _Walk(self, choose, start or self.ball)
        for node in self.nodes[1:]:
            if not walk.step(node):
                return None
        return walk.state.of(walk.known[self.nodes[-1]])


def last_use(nodes: Sequence[Node]) -> dict[Node, int]:
    """Where each node is read for the last time."""
    last = {node: place for place, node in enumerate(nodes)}
    for place, node in enumerate(nodes):
        last.update({source: place for source in node.inputs if source in last})
    return last


@final
class _Walk:
    """The state between two nodes: the ellipsoid of the atoms, and every live value in terms of them."""

    def __init__(self, path: Path, choose: Callable[[Node], Multipliers], start: Increments) -> None:
        self.path, self.choose, self.frame = path, choose, path.frame
        self.state = start.copy()
        self.known: dict[Node, Expression] = {path.nodes[0]: path.unit}
        self.cut = set[Node]()
        # Expressions are the same on every walk up to an activation for which no proof was found.
        self.usual = True

    def step(self, node: Node) -> bool:
        """Take in one node; False where no proof was found."""
        if not self._cut(node):
            return False
        value = self._expressed(node) or self._late(node) or self._ball(node)
        if value is None:
            return False
        self.known[node] = value
        self._forget(node)
        return sum(self.state.sizes.values()) <= MOST_ATOMS

    def _cut(self, node: Node) -> bool:
        """Set what a node reads to 0 where the frame says so: a function of each entry with slopes in [0, 1]."""
        source = self.frame.cut(node)
        if source is not None and source not in self.cut:
            number = self.state.activate(self.known[source], self.choose(source), self._needed(node, without=source))
            if number is None:
                return False
            self.known[source] = self.frame.atom(number, source)
            self.cut.add(source)
        return True

    def _expressed(self, node: Node) -> Expression | None:
        if not self.usual:
            return self.frame.express(node, self.known)
        expressions = self.path.expressions
        if node not in expressions:
            expressions[node] = self.frame.express(node, self.known)
        return expressions[node]

    def _late(self, node: Node) -> Expression | None:
        """Nothing yet for an activation that is done behind a maximum; else an activation, or a maximum."""
        if node in self.path.early:
            return self.known[node.inputs[0]]
        return self._activation(node) or self._maximum(node)

    def _activation(self, node: Node) -> Expression | None:
        source, slopes = gate_range(node) or (node.inputs[0], slope_range(node))
        if slopes is None or source not in self.known:
            return None
        return self._bent(node, self.known[source], slopes)

    def _bent(self, node: Node, value: Expression, slopes: Range) -> Expression | None:
        """What an activation makes of a value of the node's shape."""
        low, high = self.frame.slopes(slopes, node)
        bent = bool((low != 0).any())
        needed = [*self._needed(node), *value.parts] if bent else self._needed(node)
        number = self.state.activate(value, self.choose(node), needed)
        if number is None:
            self.usual = False
            return None
        fresh = self.frame.atom(number, node).scaled(high - low)
        return value.scaled(low).plus(fresh) if bent else fresh

    def _maximum(self, node: Node) -> Expression | None:
        pool = pool_of(node)
        if pool is None:
            return None
        (source,) = node.inputs
        pooled = self.path.pooled.get(node) if self.usual else None
        if pooled is None:
            pooled = self.frame.pooled(node, pool, self.known[source])
        if self.usual:
            self.path.pooled[node] = pooled
        mean, deviations, owner = pooled
        needed, choose = [*self._needed(node), *mean.parts], self.choose(source)
        # Multipliers are offered up to 2 / lambda, and proofs end at 1 / lambda.
        part = _CLOSED if choose in {isotropic, equalised} else 0.5
        number = self.state.deviate(
            deviations, lambda matrix: part * choose(matrix), owner, pool.reach, needed, self.frame.size(node)
        )
        if number is None:
            self.usual = False
            return None
        value = mean.plus(self.frame.atom(number, node))
        slopes = slope_range(self.path.behind[node]) if node in self.path.behind else None
        return value if slopes is None else self._bent(node, value, slopes)

    def _ball(self, node: Node) -> Expression | None:
        rule = RULES[node.op]() if node.op in RULES else None
        if rule is None:
            return None
        gains = self.path.gains
        inner = tuple(min(gains[s], radius(self.state.of(self.known[s]))) for s in node.inputs)
        try:
            gain = min(gains[node], rule.gain(node, inner, "l2", self.path.norms))
        except UnboundedError:
            return None
        return self.frame.atom(self.state.add_ball(gain, self.frame.size(node), self._needed(node)), node)

    def _needed(self, node: Node, *also: Node, without: Node | None = None) -> list[int]:
        """The atoms of what is read after `node` but for `without`, and of `also`."""
        place = self.path.place[node]
        later = [value for n, value in self.known.items() if self.path.last[n] > place and n is not without]
        return atoms_of([*later, *(self.known[n] for n in also)])

    def _forget(self, node: Node) -> None:
        place = self.path.place[node]
        self.known = {n: v for n, v in self.known.items() if self.path.last[n] > place or n is node}
        if len(self.known) == 1 and len(self.known[node].parts) > 1:
            self.known[node] = self.frame.atom(self.state.collapse(self.known[node]), node)
        else:
            self.state.keep(atoms_of(self.known.values()))
