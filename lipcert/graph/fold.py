"""Batch norm folded into the layer before it, for the analysis of layers."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.fx
from torch import Tensor

from lipcert.graph.graph import Graph
from lipcert.graph.node import Node

aten = torch.ops.aten
_NO_TRAINING = aten._native_batch_norm_legit_no_training.default  # noqa: SLF001
_BATCH_NORMS = (aten.native_batch_norm.default, _NO_TRAINING)


def fold_batch_norm(graph: Graph) -> Graph:
    """The same function with each batch norm on running statistics multiplied into the layer that alone feeds it.

    Layers are convolutions, transposed ones too, and `addmm` or `mm` with a constant matrix. The batch norm's name is
    left in `raw.meta["batch_norm"]` of the layer. Weights are multiplied in the graph's own precision: pass it in
    float64, where each entry moves by six roundings at most.
    """
    folded = graph.to()
    nodes = {node.raw: node for node in folded.nodes}
    names = dict(folded.names)
    for node in list(nodes.values()):
        layer = _foldable(node, nodes)
        if layer is not None:
            _fold(folded.module, layer, node, names)
    folded.module.graph.eliminate_dead_code()
    folded.module.recompile()
    return Graph(folded.module, graph.input_shape, names=names, head=graph.head)


def _foldable(node: Node, nodes: dict[torch.fx.Node, Node]) -> Node | None:
    """The layer before a batch norm, if the two can be one; None otherwise."""
    raw = node.raw
    if raw.target not in _BATCH_NORMS or (raw.target is not _NO_TRAINING and node.args[5]):
        return None
    if len(node.inputs) != 1 or any(user.target is not operator.getitem or user.args[1] != 0 for user in raw.users):
        return None
    layer = nodes[node.inputs[0].raw]
    if set(layer.raw.users) != {raw} or layer.kwargs or len(layer.inputs) != 1:
        return None
    position = _LAYERS.get(layer.raw.target)
    if position is None or not isinstance(layer.args[position], Tensor):
        return None
    return layer if isinstance(layer.args[_source(layer)], Node) else None


# Position of the constant weight.
_LAYERS: dict[Any, int] = {aten.convolution.default: 1, aten.addmm.default: 2, aten.mm.default: 1}


def _source(layer: Node) -> int:
    """Position of what the layer is applied to."""
    return 1 if layer.raw.target is aten.addmm.default else 0


def _fold(module: torch.fx.GraphModule, layer: Node, norm: Node, names: dict[str, str]) -> None:
    scale, shift = _scale_and_shift(norm)
    raw, fx_graph = layer.raw, module.graph
    weight = layer.args[_LAYERS[raw.target]]
    old = layer.args[2] if raw.target is aten.convolution.default else None
    old = layer.args[0] if raw.target is aten.addmm.default else old
    bias = (shift if old is None else old * scale + shift).contiguous()
    weight = _scaled(weight, scale, layer)

    def constant(value: Tensor, kind: str) -> torch.fx.Node:
        target = f"_folded_{raw.name}_{kind}"
        module.register_buffer(target, value)
        names[target] = f"{layer.name}.{kind}"
        return fx_graph.get_attr(target)

    with fx_graph.inserting_before(raw):
        new_bias, new_weight = constant(bias, "bias"), constant(weight, "weight")
        source = raw.args[_source(layer)]  # as it is by now: a fold before this one may have replaced it
        if raw.target is aten.convolution.default:
            new = fx_graph.call_function(raw.target, (source, new_weight, new_bias, *raw.args[3:]))
        else:
            new = fx_graph.call_function(aten.addmm.default, (new_bias, source, new_weight))
    new.meta["batch_norm"] = norm.name
    for user in list(norm.raw.users):
        user.replace_all_uses_with(new)


def _scale_and_shift(norm: Node) -> tuple[Tensor, Tensor]:
    """S and t of x -> s x + t for each channel."""
    weight, bias, mean, variance = norm.args[1:5]
    eps = norm.args[6] if norm.raw.target is _NO_TRAINING else norm.args[7]
    root = (variance + eps).sqrt()
    scale = (torch.ones_like(root) if weight is None else weight) / root
    shift = (torch.zeros_like(root) if bias is None else bias) - mean * scale
    return scale, shift


def _scaled(weight: Tensor, scale: Tensor, layer: Node) -> Tensor:
    """The weight with each output channel scaled."""
    if layer.raw.target is not aten.convolution.default:
        return weight * scale
    if not layer.args[6]:
        return weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    # A transposed kernel is (channels, filters / groups, *kernel), its channels in `groups` runs.
    groups = layer.args[8]
    runs = weight.reshape(groups, -1, *weight.shape[1:])
    return (runs * scale.reshape(groups, 1, -1, *[1] * (weight.ndim - 2))).reshape(weight.shape)
