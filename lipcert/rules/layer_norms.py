"""The norms of every linear node of a graph, each computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import final

import torch

from lipcert.graph import Graph, Node
from lipcert.graph.fold import fold_batch_norm
from lipcert.norms import frobenius_norm, l1_norm, linf_norm, spectral_norm
from lipcert.norms.spectrum import spectrum
from lipcert.operators import AbstractLinearOperator
from lipcert.records import Effort, Enclosure, Norm, SpectrumRecord
from lipcert.rules.base import RULES
from lipcert.rules.chains import Chain, Chains

# Probability with which any spectral norm of a graph may be wrong.
FAILURE = 1e-12


@final
class LayerNorms:
    """Enclosures of the operator norms of a graph's nodes, in float64, shared by every analysis that needs them.

    graph   the given graph in float64 with batch norms folded into the layers before them; its nodes are the keys
    effort  how much work a spectral norm may cost
    seed    of the lower ends' start vectors
    """

    def __init__(self, graph: Graph, *, effort: Effort = "default", seed: int = 0) -> None:
        self.graph = fold_batch_norm(graph.to(dtype=torch.float64))
        self.effort: Effort = effort
        self.seed = seed
        self._methods: dict[Norm, Callable[[AbstractLinearOperator], Enclosure]] = {
            "l2": partial(spectral_norm, effort=effort, seed=seed, failure=FAILURE / max(1, len(graph.nodes))),
            "linf": linf_norm,
            "l1": l1_norm,
        }
        self._chains = Chains(self.graph.nodes, effort=effort, seed=seed)
        self._operators: dict[Node, AbstractLinearOperator | None] = {}
        self._norms: dict[tuple[Node, str], Enclosure] = {}

    def operator(self, node: Node) -> AbstractLinearOperator | None:
        """The node's linear part, None where its rule gives none or it has no rule."""
        if node not in self._operators:
            self._operators[node] = RULES[node.op]().operator(node) if node.op in RULES else None
        return self._operators[node]

    def norm(self, node: Node, norm: Norm) -> Enclosure:
        """Both ends of the induced norm. Raises ValueError for a node without an operator."""
        return self._once(node, norm, self._methods[norm])

    def frobenius(self, node: Node) -> Enclosure:
        """Both ends of the Frobenius norm. Raises ValueError for a node without an operator."""
        return self._once(node, "frobenius", frobenius_norm)

    def spectrum(self, node: Node, count: int) -> SpectrumRecord:
        """The largest singular values. Raises ValueError for a node without an operator."""
        return spectrum(self._known_operator(node), count, effort=self.effort, seed=self.seed)

    def upper(self, node: Node, norm: Norm) -> float:
        """Upper end of the induced norm. Raises ValueError for a node without an operator."""
        upper = self.norm(node, norm).upper
        assert upper is not None
        return upper

    def chain_to(self, node: Node) -> Chain | None:
        """The linear chain that ends in `node`, where it is worth more than the product of its layers' norms."""
        return self._chains.to(node)

    def failure_probability(self, norm: Norm) -> float:
        """Upper bound on the probability that any of the norms computed so far is not enclosed."""
        return self._chains.failure_probability(norm) + sum(
            found.failure_probability for (_, kind), found in self._norms.items() if kind == norm
        )

    def _once(self, node: Node, kind: str, method: Callable[[AbstractLinearOperator], Enclosure]) -> Enclosure:
        if (node, kind) not in self._norms:
            self._norms[node, kind] = method(self._known_operator(node))
        return self._norms[node, kind]

    def _known_operator(self, node: Node) -> AbstractLinearOperator:
        operator = self.operator(node)
        if operator is None:
            raise ValueError(f"{node.op} at {node.name} has no linear operator")
        return operator
