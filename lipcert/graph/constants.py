"""What a graph computes from constants alone: interpolation weights, normalised weights, masks.

A deployed network computes these in its own arithmetic, and reads the results as they came out.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.fx
from torch import Tensor

from lipcert.graph.batch import batch_of
from lipcert.graph.graph import Graph


def settle_constants(graph: Graph, dtype: torch.dtype) -> Graph:
    """A copy of a float64 graph in which constants that arithmetic in `dtype` makes different are what that makes them.

    Only such results are written down; stored tensors stay as they are, even where `dtype` cannot hold them. The graph
    itself, where there is nothing to settle.
    """
    deployed = graph.to(dtype=dtype)
    found, exact = _results(deployed), _results(deployed.to(dtype=torch.float64))
    changed = {name: value for name, value in found.items() if not torch.equal(value, exact[name])}
    if not changed:
        return graph
    root = torch.nn.Module()
    for target, tensor in graph.tensors.items():
        root.register_buffer(target, tensor)
    fx_graph = copy.deepcopy(graph.module.graph)
    for raw in list(fx_graph.nodes):
        if raw.name in changed:
            target = f"_settled_{raw.name}"
            root.register_buffer(target, changed[raw.name])
            with fx_graph.inserting_before(raw):
                raw.replace_all_uses_with(fx_graph.get_attr(target))
    fx_graph.eliminate_dead_code()
    return Graph(torch.fx.GraphModule(root, fx_graph), graph.input_shape, names=graph.names, head=graph.head)


def _results(graph: Graph) -> dict[str, Tensor]:
    """Tensors computed from constants alone that a live op reads, by the name of their node; floats in float64."""
    values: dict[torch.fx.Node, Any] = {}
    read: dict[str, Tensor] = {}
    for raw in graph.module.graph.nodes:
        if raw.op == "get_attr":
            values[raw] = getattr(graph.module, str(raw.target))
        elif raw.op == "call_function" and raw.target is not batch_of and all(p in values for p in raw.all_input_nodes):
            args, kwargs = torch.fx.map_arg((raw.args, raw.kwargs), values.__getitem__)
            with torch.no_grad():
                values[raw] = raw.target(*args, **kwargs)
        else:
            made = (p for p in raw.all_input_nodes if p in values and p.op == "call_function")
            read |= {p.name: _widened(values[p]) for p in made if isinstance(values[p], Tensor)}
    return read


def _widened(value: Tensor) -> Tensor:
    return value.to(torch.float64) if value.is_floating_point() else value
