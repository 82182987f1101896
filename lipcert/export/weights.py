"""Which tensor of a file is the weight of which layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch.fx
from torch import Tensor

from lipcert.errors import RefusedModelError
from lipcert.graph import Graph, Node

# Positions of what may be the constant factor.
_FACTORS = {
    "convolution": (1,),
    "linear": (1,),
    "mm": (0, 1),
    "addmm": (1, 2),
    "bmm": (0, 1),
    "baddbmm": (1, 2),
}


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerWeight:
    """A layer with a constant factor, and the name the file has for that; "" where it has none."""

    node: Node
    weight: str
    values: Tensor


def layer_weights(graph: Graph) -> tuple[LayerWeight, ...]:
    """Every linear and convolution layer of a graph, in order of execution."""
    found = []
    for node in graph.nodes:
        for position in _FACTORS.get(node.op, ()):
            raw, value = node.raw.args[position], node.args[position]
            if isinstance(value, Tensor) and node.inputs:
                name = graph.names.get(str(raw.target), "") if isinstance(raw, torch.fx.Node) else ""
                found.append(LayerWeight(node=node, weight=name, values=value))
    return tuple(found)


def check_writable(
    wanted: Mapping[str, str], layers: tuple[LayerWeight, ...], graph: Graph, named: Mapping[str, Tensor]
) -> None:
    """Raise RefusedModelError, naming layer and tensor, where scaling a stored tensor would not scale the layer alone.

    wanted  layer -> weight of the layers to be scaled
    named   tensors the file stores
    """
    by_name = {layer.node.name: layer for layer in layers}
    for name, weight in wanted.items():
        stored = named.get(weight)
        if stored is None or not stored.is_floating_point():
            kind = (
                "no tensor of the file" if stored is None else f"stored as {str(stored.dtype).removeprefix('torch.')}"
            )
            raise RefusedModelError(
                f"layer {name} cannot be capped: its weight {weight or '(unnamed)'} is {kind}",
                hint="Weights that are computed or quantised cannot be written back; cap the float model.",
            )
        if stored.numel() != by_name[name].values.numel():
            raise RefusedModelError(
                f"layer {name} cannot be capped: its weight of {by_name[name].values.numel()} numbers is computed from "
                f"{weight} of {stored.numel()}",
                hint="Fold the computation into the weight before export.",
            )
    _check_uses(set(wanted.values()), {layer.node for layer in layers}, graph)


def _check_uses(weights: set[str], layers: set[Node], graph: Graph) -> None:
    """A weight that something else than a layer reads would change that too."""
    for node in graph.nodes:
        shared = weights & set(node.parameter_names) if node not in layers else set()
        if shared:
            raise RefusedModelError(
                f"{', '.join(sorted(shared))} is read by {node.op} at {node.name} as well, which is no layer",
                hint="Give that its own copy of the weight, or leave the layer out with --beta NAME=VALUE for others.",
            )
