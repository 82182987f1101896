"""What goes into an ONNX model and what comes out, and whether that makes a classifier."""

from __future__ import annotations

from onnx import ModelProto, TensorProto

from lipcert.errors import RefusedModelError, UsageError
from lipcert.load.onnx_graph import OnnxGraph, OnnxValue
from lipcert.load.onnx_interpreter import CARRIERS
from lipcert.load.onnx_tensor import type_name

FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
INTEGERS = (
    TensorProto.UINT8,
    TensorProto.INT8,
    TensorProto.UINT16,
    TensorProto.INT16,
    TensorProto.INT32,
    TensorProto.INT64,
)


def choose_output(model: ModelProto, name: str | None) -> str:
    """The one output, or the value called `name` (an output's position from 0 will do).

    Raises:
        RefusedModelError: several outputs and no name.
        UsageError: a name that no output and no node gives.
    """
    outputs: list[str] = [value.name for value in model.graph.output]
    if name is None:
        if len(outputs) == 1:
            return outputs[0]
        raise RefusedModelError(
            f"the model has {len(outputs)} outputs ({', '.join(outputs)}); one must hold the class scores",
            hint=f"say which: --output-name {' or '.join(outputs)}",
        )
    if name in outputs or any(name in node.output for node in model.graph.node):
        return name
    if name.isdecimal() and int(name) < len(outputs):
        return outputs[int(name)]
    raise UsageError(f"the model has no output {name!r}; it has {', '.join(outputs)}")


def check_signature(graph: OnnxGraph) -> OnnxValue:
    """The one input, once it is known that it and the output can be a classifier's.

    Raises RefusedModelError on none or several inputs, inputs without a batch axis or with integers that are
    not merely cast, and outputs that hold no scores.
    """
    if len(graph.inputs) != 1:
        names = ", ".join(f"{value.name}: {_words(value)}" for value in graph.inputs)
        raise RefusedModelError(
            f"the output {graph.outputs[0].name!r} depends on {len(graph.inputs)} inputs ({names or 'none'}); "
            "a classifier of one input is analysed",
            hint="export the inference graph alone, with constants in place of the other inputs",
        )
    value = graph.inputs[0]
    if value.shape is not None and len(value.shape) < 2:
        raise RefusedModelError(f"input {value.name!r} has shape {_words(value)}; a batch axis and a sample are needed")
    if value.elem_type in INTEGERS:
        _check_cast(graph, value)
    elif value.elem_type not in FLOATS:
        raise RefusedModelError(f"input {value.name!r} is {_words(value)}; numbers are needed")
    _check_scores(graph)
    return value


def _check_scores(graph: OnnxGraph) -> None:
    output = graph.outputs[0]
    if output.elem_type in (*FLOATS, 0):
        return
    producer = next((node for node in graph.nodes if output.name in node.outputs), None)
    scores = producer.inputs[0] if producer is not None and producer.op in ("ArgMax", "TopK", "Hardmax") else None
    raise RefusedModelError(
        f"output {output.name!r} is {_words(output)}; class scores are needed, as floating-point numbers",
        hint=f"name the scores it is made from: --output-name {scores}" if scores else "export the scores instead",
    )


def _check_cast(graph: OnnxGraph, value: OnnxValue) -> None:
    """Integers of an input may be moved about and cast to floating point; anything else takes them for indices."""
    names = {value.name}
    for node in graph.nodes:
        if names.isdisjoint(node.inputs) or node.op in ("Shape", "Cast"):
            continue
        if node.op not in CARRIERS or node.inputs[0] not in names:
            raise RefusedModelError(
                f"input {value.name!r} is {_words(value)} and node {node.name!r} ({node.op}) works on the integers; "
                "a small change of such an input has no meaning",
                hint="export the model with a floating-point input",
            )
        names.update(node.outputs)


def _words(value: OnnxValue) -> str:
    """Type and shape of a value as a reader would write them."""
    kind = type_name(value.elem_type) if value.elem_type else "no tensor"
    return kind if value.shape is None else f"{kind} {'x'.join(str(size or '?') for size in value.shape)}"
