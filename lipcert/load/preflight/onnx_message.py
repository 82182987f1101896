"""The static check of ONNX models: what is written in the message, before anything is computed from it.

Shapes that are computed are judged later, when the model is first run under `lipcert.load.allowance`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from lipcert.errors import RefusedModelError, UnreadableModelError

MAX_ELEMENTS = 2**28
"""Most elements a tensor may have whose shape a file spells out (1 GiB of float32)."""

_MOST_NODES = 2**18
_DEEPEST_CALLS = 64
_CONTROL_FLOW = frozenset({"If", "Loop", "Scan", "SequenceMap"})
_SMALL = 256
_HINT = "export the plain feed-forward classifier with operators of the ai.onnx domain only"

Constants = Mapping[str, list[float]]


def check_message(model: ModelProto) -> None:
    """Refuse what would never end or never fit.

    Raises:
        RefusedModelError: control flow, calls of functions that multiply, tensors beyond all memory.
        UnreadableModelError: a tensor whose shape is none.
    """
    _check_functions(model)
    for graph in _graphs(model.graph):
        _check_sizes(graph)
    if len(model.graph.output) == 1:  # with several, the reader knows which part is asked for
        _check_control_flow(model)


def all_tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor anywhere in a model: of graphs within graphs, of functions, of sparse tensors and of training."""
    for graph in _graphs(model.graph):
        yield from _tensors_of(graph)
    for training in model.training_info:
        for root in (training.initialization, training.algorithm):
            for graph in _graphs(root):
                yield from _tensors_of(graph)
    for function in model.functions:
        yield from _attribute_tensors(function.node)
        for graph in (inner for node in function.node for inner in _inner(node)):
            for deeper in _graphs(graph):
                yield from _tensors_of(deeper)


def _tensors_of(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _attribute_tensors(graph.node)


def _attribute_tensors(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        for sparse in (
            *([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []),
            *attribute.sparse_tensors,
        ):
            yield from (sparse.values, sparse.indices)


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """A graph and those written in attributes of its nodes, to any depth (protobuf itself bounds the depth)."""
    waiting = [graph]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += [inner for node in current.node for inner in _inner(node)]


def _inner(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _check_functions(model: ModelProto) -> None:
    """Count the nodes there would be with every function in place of its calls."""
    functions = {(f.domain, f.name): f for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Iterable[NodeProto], depth: int) -> int:
        if depth > _DEEPEST_CALLS:
            raise RefusedModelError("functions of the model call each other without end", hint=_HINT)
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in functions and key not in sizes:
                sizes[key] = size(functions[key].node, depth + 1)
            total += sizes.get(key, 1) + sum(size(graph.node, depth + 1) for graph in _inner(node))
            if total > _MOST_NODES:
                raise RefusedModelError(
                    f"the graph has more than {_MOST_NODES:,} nodes once its functions are put in place", hint=_HINT
                )
        return total

    size(model.graph.node, 0)


def _check_control_flow(model: ModelProto) -> None:
    """Raise on control flow that the output needs; the rest of the graph is never run."""
    producer = {name: node for node in model.graph.node for name in node.output if name}
    bodies = {(f.domain, f.name): f for f in model.functions}
    waiting, seen = [value.name for value in model.graph.output], set[str]()
    found: dict[str, NodeProto] = {}
    while waiting:
        name = waiting.pop()
        if name in seen or name not in producer:
            continue
        seen.add(name)
        node = producer[name]
        found |= {f"{each.op_type} ({each.name or name})": each for each in _flow(node, bodies)}
        waiting += node.input
    if found:
        listed = ", ".join(sorted(found)[:4])
        raise RefusedModelError(f"the model contains control flow: blocked by {listed}", hint=_HINT)


def _flow(node: NodeProto, bodies: Mapping[tuple[str, str], FunctionProto]) -> Iterator[NodeProto]:
    """Nodes of control flow that one node is or calls."""
    waiting, called = [node], set[tuple[str, str]]()
    while waiting:
        current = waiting.pop()
        key = (current.domain, current.op_type)
        if current.op_type in _CONTROL_FLOW and current.domain in ("", "ai.onnx"):
            yield current
        elif key in bodies and key not in called:
            called.add(key)
            waiting += bodies[key].node


def _check_sizes(graph: GraphProto) -> None:
    """Raise on tensors and on operators whose result is beyond all memory, as far as the file spells it out."""
    for value in (*graph.input, *graph.output):
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim if dim.dim_value > 0]
        _bound(f"value {value.name!r:.80}", dims)
    constants = _constants(graph)
    for node in graph.node:
        asked = _ASKED.get(node.op_type)
        if asked is not None and node.domain in ("", "ai.onnx"):
            _bound(f"node {node.name or next(iter(node.output), '')!r:.80} ({node.op_type})", asked(node, constants))


def _bound(what: str, dims: Iterable[float]) -> None:
    sizes = list(dims)
    if not all(map(math.isfinite, sizes)) or math.prod(max(1, int(size)) for size in sizes) > MAX_ELEMENTS:
        raise RefusedModelError(f"{what} is a tensor of shape {sizes!s:.120}; at most {MAX_ELEMENTS} elements are read")


def _constants(graph: GraphProto) -> Constants:
    """The short lists of numbers a graph spells out, by the name of their value."""
    stored = [(tensor.name, tensor) for tensor in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            stored += [(node.output[0], attribute.t) for attribute in node.attribute if attribute.HasField("t")]
    found = {name: numbers for name, tensor in stored if (numbers := _numbers(tensor)) is not None}
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and node.output and attribute.name in _LISTS:
                value = helper.get_attribute_value(attribute)
                found[node.output[0]] = [float(n) for n in (value if isinstance(value, Iterable) else [value])]
    return found


_LISTS = frozenset({"value_int", "value_ints", "value_float", "value_floats"})


def _numbers(tensor: TensorProto) -> list[float] | None:
    """The entries of a short tensor; None for a long one, for text, and where the data lie elsewhere."""
    if min(tensor.dims, default=0) < 0:
        raise UnreadableModelError(f"tensor {tensor.name!r:.80} has shape {list(tensor.dims)!s:.80}")
    if math.prod(tensor.dims) > _SMALL or tensor.data_location == TensorProto.EXTERNAL:
        return None
    try:
        return [float(number) for number in numpy_helper.to_array(tensor).reshape(-1).tolist()]
    except Exception:  # noqa: BLE001  what is damaged is told by the reader, which knows what it is for
        return None


def _operand(node: NodeProto, position: int, constants: Constants) -> list[float]:
    """The numbers of an operand, none where they are computed."""
    return constants.get(node.input[position], []) if position < len(node.input) else []


def _ints(node: NodeProto, name: str) -> list[float]:
    return [float(n) for a in node.attribute if a.name == name and a.type == AttributeProto.INTS for n in a.ints]


def _range(node: NodeProto, constants: Constants) -> list[float]:
    numbers = [_operand(node, position, constants) for position in range(3)]
    if not all(numbers) or not numbers[2][0]:
        return []
    return [max(0.0, (numbers[1][0] - numbers[0][0]) / numbers[2][0])]


_ASKED: Mapping[str, Callable[[NodeProto, Constants], list[Any]]] = {
    "ConstantOfShape": lambda node, constants: _operand(node, 0, constants),
    "Expand": lambda node, constants: _operand(node, 1, constants),
    "Tile": lambda node, constants: _operand(node, 1, constants),
    "Range": _range,
    "OneHot": lambda node, constants: _operand(node, 1, constants)[:1],
    "Resize": lambda node, constants: _operand(node, 3, constants) or _operand(node, 2, constants),
    "Upsample": lambda node, constants: _operand(node, 1, constants),
    "Pad": lambda node, constants: [1 + n for n in _operand(node, 1, constants) or _ints(node, "pads")],
    "Conv": lambda node, constants: [1 + n for n in _ints(node, "pads")],  # noqa: ARG005  one form for all
    "ConvTranspose": lambda node, constants: _ints(node, "output_shape"),  # noqa: ARG005
    "RandomNormal": lambda node, constants: _ints(node, "shape"),  # noqa: ARG005
    "RandomUniform": lambda node, constants: _ints(node, "shape"),  # noqa: ARG005
}
"""Sizes an operator asks for, where its operands spell them out: factors of the size of its result."""
