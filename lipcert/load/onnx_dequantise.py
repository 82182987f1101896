"""Products of dynamically quantised values as the real products they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import final

from torch import Tensor

from lipcert.load.onnx_graph import OnnxGraph, OnnxNode

_PRODUCTS = {"ConvInteger": ("Conv", 0), "MatMulInteger": ("MatMul", -1)}
"""The real product of each integer one, and the axis of its weight that has a scale an entry."""


def float_products(graph: OnnxGraph) -> OnnxGraph:
    """The graph with real products, of the input before quantisation and the dequantised weight.

    DynamicQuantizeLinear, an integer product, a cast to floating point and a multiplication by both scales
    become one Conv or MatMul, so that a layer's weight is the one it acts with. What does not follow this
    pattern is left alone.
    """
    search = _Search(graph)
    replaced: dict[str, list[OnnxNode]] = {}
    for node in graph.nodes:
        found = search.scaled_product(node) if node.op in _PRODUCTS else None
        if found is not None:
            replaced[found[-1].outputs[0]] = found
    if not replaced:
        return graph
    nodes = [new for node in graph.nodes for new in replaced.get(node.outputs[0], [node])]
    return replace(graph, nodes=_needed(nodes, {value.name for value in graph.outputs}))


@final
class _Search:
    """Who gives and who reads each value of a graph."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.constants: Mapping[str, Tensor] = graph.constants
        self.producer = {name: node for node in graph.nodes for name in node.outputs if name}
        self.readers: dict[str, list[OnnxNode]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)
        self.outputs = {value.name for value in graph.outputs}

    def scaled_product(self, node: OnnxNode) -> list[OnnxNode] | None:
        """The two nodes that stand for an integer product and its rescaling; None where the pattern is another."""
        quantiser = self.producer.get(node.inputs[0])
        cast = self._only_reader(node, "Cast")
        rescale = self._only_reader(cast, "Mul") if cast is not None else None
        if quantiser is None or quantiser.op != "DynamicQuantizeLinear" or cast is None or rescale is None:
            return None
        weight, scale = node.inputs[1], self._weight_scale(cast, rescale, quantiser.outputs[1])
        if scale is None or weight not in self.constants or not self._fits(node, scale):
            return None
        op, axis = _PRODUCTS[node.op]
        name = f"{weight} dequantised"
        zero = node.inputs[3:4]
        attributes = {"axis": axis % self.constants[weight].ndim}
        real = replace(
            node,
            op="DequantizeLinear",
            inputs=(weight, scale, *zero),
            outputs=(name,),
            attributes=attributes,
            version=13,
        )
        return [real, replace(node, op=op, inputs=(quantiser.inputs[0], name), outputs=rescale.outputs)]

    def _only_reader(self, node: OnnxNode, op: str) -> OnnxNode | None:
        name = node.outputs[0]
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and readers[0].op == op and name not in self.outputs else None

    def _weight_scale(self, cast: OnnxNode, rescale: OnnxNode, input_scale: str) -> str | None:
        """The constant that is multiplied with the input's scale to rescale the product."""
        factor = next((name for name in rescale.inputs if name != cast.outputs[0]), "")
        scales = self.producer.get(factor)
        if scales is None or scales.op != "Mul" or input_scale not in scales.inputs:
            return None
        return next((name for name in scales.inputs if name in self.constants), None)

    def _fits(self, node: OnnxNode, scale: str) -> bool:
        """Whether the scale is one number, or one a row of the weight that DequantizeLinear takes as it is."""
        given = self.constants[scale]
        axis = _PRODUCTS[node.op][1]
        return given.numel() == 1 or (given.ndim == 1 and given.numel() == self.constants[node.inputs[1]].shape[axis])


def _needed(nodes: list[OnnxNode], wanted: set[str]) -> tuple[OnnxNode, ...]:
    """The nodes that some wanted value depends on, in the same order."""
    wanted, kept = set(wanted), []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return tuple(reversed(kept))
