"""What a graph is to bound propagation: nodes in order, what each reads, and their rules."""

from __future__ import annotations

from typing import final

import torch

from lipcert.bounds.window_steps import Kernels
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph, Node, settle_constants
from lipcert.rules import RULES, AbstractRule
from lipcert.rules.output import PIECES
from lipcert.rules.self_gates import self_gated


@final
class Plan:
    """The float64 copy of a graph, read for bounds.

    graph    with constants that it computes as they come out in `deployed`, the dtype it is deployed in
    nodes    in order of execution, the input first, the logits last. An op that cuts its input into pieces is left
             out: each piece (`getitem`) reads what that op reads.
    sources  of each node; of a product u * gate(u) that is one curve, u alone
    idle     nodes that no node reads on the way to the logits, such as the gates of these
    users    of each node, once for each time they read it
    rules    of each node but the input
    settled  whether the deployed arithmetic computes some constants otherwise: the graph is then another function
    kernels  matrices of windows of convolutions, filled as they are needed

    Raises UnsupportedOperatorError, naming every op without a rule.
    """

    def __init__(self, graph: Graph, deployed: torch.dtype | None = None) -> None:
        exact = graph.to(dtype=torch.float64)
        self.graph = exact if deployed is None else settle_constants(exact, deployed)
        self.settled = self.graph is not exact
        nodes = self.graph.nodes
        missing = tuple(node.op for node in nodes if node.op not in RULES and node.op != "input")
        if missing:
            raise UnsupportedOperatorError(
                f"no rule for {', '.join(sorted(set(missing)))}",
                operators=missing,
                hint="Without one no bound on a region can be proved; everything else is reported.",
            )
        self.nodes = tuple(node for node in nodes if node.op not in PIECES)
        self.sources = {node: _sources(node) for node in self.nodes}
        self.idle = self._idle()
        self.position = {node: i for i, node in enumerate(self.nodes)}
        self.users = {node: [u for u in self.nodes for source in self.sources[u] if source is node] for node in nodes}
        self.rules: dict[Node, AbstractRule] = {node: RULES[node.op]() for node in self.nodes if node.op != "input"}
        self.kernels: Kernels = {}

    def _idle(self) -> set[Node]:
        read = {self.nodes[-1]}
        for node in reversed(self.nodes):
            if node in read:
                read.update(self.sources[node])
        return set(self.nodes) - read

    @property
    def output(self) -> Node:
        """The node whose value is the logits."""
        return self.nodes[-1]

    def up_to(self, target: Node) -> tuple[Node, ...]:
        """The nodes that may enter the target's value, last first."""
        return self.nodes[self.position[target] :: -1]


def _sources(node: Node) -> tuple[Node, ...]:
    gated = self_gated(node)
    if gated is not None:
        return (gated.value,)
    return node.args[0].inputs if node.op == "getitem" and node.args[0].op in PIECES else node.inputs
