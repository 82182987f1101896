"""The graph of an ONNX model: nodes in order of execution, constants as torch tensors."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

import onnx
import torch
from onnx import AttributeProto, ModelProto, NodeProto, SparseTensorProto, ValueInfoProto, helper
from torch import Tensor

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.onnx_ops.base import qualified
from lipcert.load.onnx_ops.constant import constant_of
from lipcert.load.onnx_tensor import to_tensor


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxNode:
    """One node. `op` is its name in the table of operators, `name` its own or else its first output's."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    version: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxValue:
    """An input or output as the file declares it. `elem_type` is a TensorProto code, 0 for what is no tensor.

    `shape` is None where the file does not tell; an axis it leaves open is None.
    """

    name: str
    elem_type: int
    shape: tuple[int | None, ...] | None

    @property
    def batch(self) -> int | None:
        """The size of the first axis, None where it is open."""
        return self.shape[0] if self.shape else None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxGraph:
    """What is computed: every node some output needs, in an order that can be run.

    `constants` holds initializers and Constant nodes under their value's name; `inputs` only what the outputs
    depend on, `unused_inputs` the rest.
    """

    inputs: tuple[OnnxValue, ...]
    unused_inputs: tuple[OnnxValue, ...]
    outputs: tuple[OnnxValue, ...]
    constants: Mapping[str, Tensor]
    nodes: tuple[OnnxNode, ...]


def read_graph(model: ModelProto, outputs: Iterable[str] | None = None) -> OnnxGraph:
    """Read what `outputs` (default: all that are declared) need of a model; any value of the graph may be one.

    Raises UnreadableModelError on a graph that contradicts itself, RefusedModelError on a cycle.
    """
    versions = opset_versions(model)
    graph = model.graph
    declared = {value.name: value for value in graph.output}
    chosen = [declared.get(name) or ValueInfoProto(name=name) for name in (declared if outputs is None else outputs)]
    stored = {tensor.name for tensor in graph.initializer}
    stored |= {sparse.values.name for sparse in graph.sparse_initializer}
    free = [value for value in graph.input if value.name not in stored]
    needed = _in_order(graph.node, {value.name for value in free} | stored, [value.name for value in chosen])
    nodes = [_node(node, versions) for node in needed]
    read = {name for node in nodes for name in node.inputs} | {value.name for value in chosen}
    constants = _initializers(model, read)
    constants |= {node.outputs[0]: constant_of(node.name, node.attributes) for node in nodes if node.op == "Constant"}
    return OnnxGraph(
        inputs=tuple(_value(value) for value in free if value.name in read),
        unused_inputs=tuple(_value(value) for value in free if value.name not in read),
        outputs=tuple(_value(value) for value in chosen),
        constants=constants,
        nodes=tuple(node for node in nodes if node.op != "Constant"),
    )


def opset_versions(model: ModelProto) -> dict[str, int]:
    """Version of the operator set of each domain, ONNX's own under ""."""
    versions: dict[str, int] = {}
    for entry in model.opset_import:
        domain = "" if entry.domain == "ai.onnx" else entry.domain
        if versions.setdefault(domain, entry.version) != entry.version:
            raise UnreadableModelError(
                f"operator set {domain or 'ai.onnx'!r} is imported as version {versions[domain]} and {entry.version}"
            )
    version, newest = versions.setdefault("", 1), onnx.defs.onnx_opset_version()
    if version > newest:
        raise RefusedModelError(
            f"the model is written for ONNX operator set {version}, and this installation knows them up to {newest}",
            hint="upgrade onnx, or export the model with an older opset_version",
        )
    return versions


def _in_order(nodes: Iterable[NodeProto], given: set[str], wanted: Iterable[str]) -> list[NodeProto]:
    """The nodes that `wanted` depends on, each after those it reads, otherwise in the order of the file."""
    listed = list(nodes)
    producer = _producers(listed, given)
    needed, queue = set[int](), list(wanted)
    while queue:
        name = queue.pop()
        if not name or name in given:
            continue
        if name not in producer:
            raise UnreadableModelError(f"value {name!r} is read, and no node, input or initializer gives it")
        if producer[name] not in needed:
            needed.add(producer[name])
            queue.extend(_reads(listed[producer[name]]))
    return [listed[index] for index in _sorted(listed, producer, needed)]


def _producers(nodes: list[NodeProto], given: set[str]) -> dict[str, int]:
    producer: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in filter(None, node.output):
            if name in producer or name in given:
                raise UnreadableModelError(f"value {name!r} is given twice, the second time by a {node.op_type} node")
            producer[name] = index
    return producer


def _reads(node: NodeProto) -> list[str]:
    """Names a node reads, those its sub-graphs take from outside among them."""
    names = list(node.input)
    for attribute in node.attribute:
        for graph in [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs:
            inner = {v.name for v in graph.input} | {t.name for t in graph.initializer}
            inner |= {name for child in graph.node for name in child.output}
            names += [name for child in graph.node for name in _reads(child) if name not in inner]
    return names


def _sorted(nodes: list[NodeProto], producer: Mapping[str, int], needed: set[int]) -> list[int]:
    """Kahn's algorithm, the earliest node of the file first among those that are ready."""
    waiting: dict[int, set[int]] = {}
    readers: dict[int, list[int]] = {index: [] for index in needed}
    for index in needed:
        waiting[index] = {producer[name] for name in _reads(nodes[index]) if name in producer}
        for source in waiting[index]:
            readers[source].append(index)
    ready = [index for index, sources in waiting.items() if not sources]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for reader in readers[index]:
            waiting[reader].discard(index)
            if not waiting[reader]:
                heapq.heappush(ready, reader)
    if len(order) < len(needed):
        stuck = nodes[min(needed - set(order))]
        raise RefusedModelError(f"the graph has a cycle through node {stuck.name or stuck.output[0]!r}")
    return order


def _node(node: NodeProto, versions: Mapping[str, int]) -> OnnxNode:
    domain = "" if node.domain == "ai.onnx" else node.domain
    return OnnxNode(
        op=qualified(domain, node.op_type),
        name=node.name or next(filter(None, node.output), node.op_type),
        inputs=tuple(node.input),
        outputs=tuple(node.output),
        attributes={attribute.name: _attribute(attribute) for attribute in node.attribute},
        version=versions.get(domain, 1),
    )


def _attribute(attribute: AttributeProto) -> Any:
    """An attribute's value in Python; strings that are no UTF-8 keep a mark where they are damaged."""
    try:
        value = helper.get_attribute_value(attribute)
    except ValueError as error:
        raise UnreadableModelError(f"attribute {attribute.name!r:.80} has no value: {error!s:.120}") from error
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if attribute.type == AttributeProto.STRINGS:
        return [item.decode("utf-8", errors="replace") for item in value]
    return list(value) if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


def _initializers(model: ModelProto, read: set[str]) -> dict[str, Tensor]:
    tensors = {tensor.name: to_tensor(tensor) for tensor in model.graph.initializer if tensor.name in read}
    for sparse in model.graph.sparse_initializer:
        if sparse.values.name in read:
            tensors[sparse.values.name] = _dense(sparse)
    return tensors


def _dense(sparse: SparseTensorProto) -> Tensor:
    """A sparse initializer with its zeros written out."""
    values, indices, shape = to_tensor(sparse.values), to_tensor(sparse.indices), torch.Size(sparse.dims)
    try:
        if indices.ndim == 1:
            return torch.zeros(shape.numel(), dtype=values.dtype).index_put((indices,), values).reshape(shape)
        return torch.zeros(shape, dtype=values.dtype).index_put(tuple(indices.T), values)
    except (IndexError, RuntimeError) as error:
        raise UnreadableModelError(f"sparse tensor {sparse.values.name!r} is damaged: {error}") from error


def _value(value: ValueInfoProto) -> OnnxValue:
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type":
        return OnnxValue(name=value.name, elem_type=0, shape=None)
    if not tensor.HasField("shape"):
        return OnnxValue(name=value.name, elem_type=tensor.elem_type, shape=None)
    sizes = tuple(dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim)
    return OnnxValue(name=value.name, elem_type=tensor.elem_type, shape=sizes)
