"""Linear chains: nodes that are affine one after another, with nothing else between and no branch.

The norm of a chain is at most the product of the norms of its nodes, and often far less: a convolution before an
average pooling, two 1x1 convolutions of a bottleneck, a convolution after padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lipcert.graph import Node
from lipcert.norms import l1_norm, linf_norm, spectral_norm
from lipcert.norms.composition import fits, tightens
from lipcert.operators import AbstractLinearOperator, CompositionOperator
from lipcert.operators.fusion import fused, keeps_norms, one_pixel
from lipcert.records import Effort, Enclosure, Norm
from lipcert.rules.base import RULES


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chain:
    """A linear chain from the value of `source` on, and its norms as far as they are affordable."""

    source: Node
    norms: dict[Norm, Enclosure]


@final
class Chains:
    """The linear chains of some nodes, each found once.

    nodes   of one graph, in order of execution
    effort  how much work a spectral norm may cost
    seed    of the lower ends' start vectors
    """

    def __init__(self, nodes: Sequence[Node], *, effort: Effort = "default", seed: int = 0) -> None:
        self.effort: Effort = effort
        self.seed = seed
        self._followers: dict[Node, list[Node]] = {node: [] for node in nodes}
        for node in nodes:
            for source in node.inputs:
                self._followers[source].append(node)
        self._links: dict[Node, AbstractLinearOperator | None] = {}
        self._chains: dict[Node, Chain | None] = {}

    def to(self, node: Node) -> Chain | None:
        """The longest chain that ends in `node`, with two links that matter and a norm that can be afforded.

        None where there is no such chain, or where what follows the node continues it.
        """
        if node not in self._chains:
            self._chains[node] = None if self._goes_on(node) else self._find(node)
        return self._chains[node]

    def failure_probability(self, norm: Norm) -> float:
        """Upper bound on the probability that any of the norms found so far is not enclosed."""
        found = [chain.norms[norm] for chain in self._chains.values() if chain is not None and norm in chain.norms]
        return sum(each.failure_probability for each in found)

    def _link(self, node: Node) -> AbstractLinearOperator | None:
        if node not in self._links:
            self._links[node] = RULES[node.op]().link(node) if node.op in RULES else None
        return self._links[node]

    def _goes_on(self, node: Node) -> bool:
        followers = self._followers[node]
        # Certificates also want what stands before the last node, if that is affine.
        return len(followers) == 1 and bool(self._followers[followers[0]]) and self._link(followers[0]) is not None

    def _find(self, node: Node) -> Chain | None:
        links: list[AbstractLinearOperator] = []
        source = node
        while (link := self._link(source)) is not None:
            links.append(link)
            (source,) = source.inputs
            if len(self._followers[source]) != 1:
                break
        if sum(not keeps_norms(link) for link in links) < 2:
            return None
        parts = fused(links[::-1])
        parts = one_pixel(parts) or parts
        operator = parts[0] if len(parts) == 1 else CompositionOperator(parts)
        return Chain(source=source, norms=self._norms(operator)) if tightens(operator, self.effort) else None

    def _norms(self, operator: AbstractLinearOperator) -> dict[Norm, Enclosure]:
        norms: dict[Norm, Enclosure] = {"l2": spectral_norm(operator, effort=self.effort, seed=self.seed, failure=0.0)}
        if not isinstance(operator, CompositionOperator) or fits(operator):
            norms |= {"linf": linf_norm(operator), "l1": l1_norm(operator)}
        return norms
