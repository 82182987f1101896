"""The layered bound of a whole network: on a torus as far as it is one of convolutions, as flat vectors from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import final

from torch import Tensor

from lipcert.bounds.layered.dense import DenseFrame
from lipcert.bounds.layered.field import flatten
from lipcert.bounds.layered.grid import Grid, lay_out
from lipcert.bounds.layered.increments import Increments, Multipliers, equalised, isotropic, radius
from lipcert.bounds.layered.torus import TorusFrame
from lipcert.bounds.layered.walk import Path, last_use
from lipcert.graph import Node
from lipcert.rounding import up
from lipcert.rules.layer_norms import LayerNorms
from lipcert.rules.slopes import slope_range

DENSE_LIMIT = 4200
TORUS_LIMIT = 512


@final
class Route:
    """One way through a graph: where the ellipsoid starts, what is done on a torus, and what as flat vectors."""

    def __init__(
        self, norms: LayerNorms, nodes: Sequence[Node], gains: Mapping[Node, float], grid: Grid | None
    ) -> None:
        self.grid, self.nodes = grid, nodes
        self.torus = None if grid is None else Path(norms, grid.nodes, gains, TorusFrame(norms, grid))
        rest = nodes if grid is None else nodes[nodes.index(grid.nodes[-1]) :]
        self.dense = Path(norms, rest, gains, DenseFrame(norms))

    def walk(self, choose: Callable[[Node], Multipliers] = lambda _: isotropic) -> Tensor | None:
        """Above the matrix of the logits' increments, (K, K); None where no proof was found."""
        start = None
        if self.torus is not None and self.grid is not None:
            covariance = self.torus.walk(choose)
            if covariance is None:
                return None
            image = partial(flatten, covariance, self.grid.nodes[-1], self.grid)
            start = Increments(None, self.dense.unit, image)
        found = self.dense.walk(choose, start)
        return None if found is None else found[0]

    @property
    def work(self) -> float:
        """Multiplications of one walk, roughly: a few dense products and an inverse for each activation."""
        return sum(
            8.0 * len(path.frame.blocks) * max(path.frame.size(node), 1) ** 3 * (4 if path is self.torus else 1)
            for path in (self.torus, self.dense)
            if path is not None
            for node in path.nodes[1:]
            if slope_range(node) is not None
        )

    def groups(self, node: Node) -> Tensor:
        """Which multiplier each number of a node takes."""
        on_torus = self.torus is not None and node in self.torus.place and node is not self.torus.nodes[0]
        path = self.torus if on_torus and self.torus is not None else self.dense
        return path.frame.groups(node)


def cuts(nodes: Sequence[Node]) -> list[Node]:
    """The nodes through which alone all later ones are reached, the logits left out."""
    last, reach, found = last_use(nodes), 0, []
    for place, node in enumerate(nodes[:-1]):
        if reach <= place and len(node.shapes) == 1:
            found.append(node)
        reach = max(reach, last[node])
    return found


def dense_route(norms: LayerNorms, nodes: Sequence[Node], gains: Mapping[Node, float]) -> Route | None:
    """Flat vectors from the earliest node on past which all values are small enough; None where there is none."""
    for node in cuts(nodes):
        rest = nodes[nodes.index(node) :]
        if all(n.shape.numel() <= DENSE_LIMIT for n in rest):
            return Route(norms, rest, gains, None)
    return None


def torus_route(norms: LayerNorms, nodes: Sequence[Node], gains: Mapping[Node, float]) -> Route | None:
    """A torus from the earliest node on where that can be afforded, then flat vectors; None where there is none."""
    for node in cuts(nodes):
        rest = nodes[nodes.index(node) :]
        grid = lay_out(rest, norms)
        if grid is None or grid.widest > TORUS_LIMIT:
            continue
        after = rest[rest.index(grid.nodes[-1]) :]
        if all(n.shape.numel() <= DENSE_LIMIT for n in after):
            return Route(norms, rest, gains, grid)
    return None


def staged(norms: LayerNorms, nodes: Sequence[Node], gains: Mapping[Node, float]) -> Mapping[Node, float]:
    """Gains with the first stretch of convolutions before a max pooling bounded by itself, on a torus of its own.

    For a network whose pooling makes one torus for all too wide. All goes through the node that is pooled, and no
    linear chain passes it, so each later gain was made from that node's alone and in proportion to it: with the new
    gain of that node in place of the old one, each is the same factor smaller.
    """
    for node in cuts(nodes)[1:]:
        later = [user for user in nodes if node in user.inputs]
        if not all(user.op.startswith("max_pool") for user in later):
            continue
        head = nodes[: nodes.index(node) + 1]
        grid = lay_out(head, norms)
        if grid is None or grid.nodes[-1] is not node or grid.widest > TORUS_LIMIT:
            return gains
        path = Path(norms, grid.nodes, gains, TorusFrame(norms, grid))
        walks = (path.walk(lambda _: isotropic), path.walk(lambda _: equalised))
        best = min((radius(walk) for walk in walks if walk is not None), default=gains[node])
        if not best < gains[node]:
            return gains
        factor = up(best / gains[node])
        new = {n: up(gains[n] * factor) for n in nodes[nodes.index(node) + 1 :]}
        return {**gains, node: best, **new}
    return gains
