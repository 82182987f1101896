"""The layers of any network as places inside it: what goes in, what comes out, and what a change there does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch.fx
from torch import Tensor

from lipcert.analyses.generalization.measures import weight_matrix
from lipcert.graph import Graph, Node


def weight_layers(graph: Graph) -> tuple[Node, ...]:
    """The convolutions and dense layers of a graph, in order of execution, however they are connected."""
    return tuple(node for node in graph.nodes if weight_matrix(node) is not None and len(node.inputs) == 1)


def shifted_logits(graph: Graph, layers: Sequence[Node], inputs: Tensor, shifts: Sequence[Tensor]) -> Tensor:
    """Logits where the output of each of `layers` is moved by its shift times the l2 norm of its input.

    inputs  (N, *input_shape)
    shifts  one a layer, each of its output's shape, batch axis included
    """
    given = {layer.raw: (layer.inputs[0].raw, shift) for layer, shift in zip(layers, shifts, strict=True)}
    result = _Shifted(graph, given).run(inputs)
    assert isinstance(result, Tensor)
    return result


@final
class _Shifted(torch.fx.Interpreter):
    """Runs a graph and moves what some of its nodes give."""

    def __init__(self, graph: Graph, given: Mapping[torch.fx.Node, tuple[torch.fx.Node, Tensor]]) -> None:
        super().__init__(graph.module, garbage_collect_values=False)
        self._given = given

    def run_node(self, n: torch.fx.Node) -> Any:
        """The value of one node, moved where it is to be."""
        value = super().run_node(n)
        if n not in self._given:
            return value
        source, shift = self._given[n]
        size = self.env[source].flatten(1).norm(dim=1)
        return value + shift * size.reshape(-1, *[1] * (shift.ndim - 1))
