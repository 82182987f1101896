"""Values inside a graph, differentiable in the input like the logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import torch.fx
from torch import Tensor

from lipcert.graph.graph import Graph
from lipcert.graph.node import Node


def values_of(graph: Graph, nodes: Sequence[Node], x: Tensor) -> tuple[Any, ...]:
    """What each of these nodes of `graph` gives on a batch, in the order of `nodes`: one forward pass."""
    seen = _Seen(graph, {node.raw for node in nodes})
    seen.run(x)
    return tuple(seen.values[node.raw] for node in nodes)


@final
class _Seen(torch.fx.Interpreter):
    """Runs a graph and keeps what some of its nodes give."""

    def __init__(self, graph: Graph, wanted: set[torch.fx.Node]) -> None:
        super().__init__(graph.module)
        self._wanted = wanted
        self.values: dict[torch.fx.Node, Any] = {}

    def run_node(self, n: torch.fx.Node) -> Any:
        """The value of one node."""
        value = super().run_node(n)
        if n in self._wanted:
            self.values[n] = value
        return value
