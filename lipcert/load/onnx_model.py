"""ONNX files as a source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from onnx import ModelProto, TensorProto

from lipcert.errors import RefusedModelError
from lipcert.load.allowance import Allowance
from lipcert.load.onnx_dequantise import float_products
from lipcert.load.onnx_file import read_model
from lipcert.load.onnx_function import OnnxFunction, reads_batches
from lipcert.load.onnx_graph import OnnxGraph, opset_versions, read_graph
from lipcert.load.onnx_interpreter import OnnxInterpreter, constant_part
from lipcert.load.onnx_oracle import LARGEST_FIXED_BATCH, OnnxOracle, find_oracle, read_as_float
from lipcert.load.onnx_runtimes import RUNTIMES
from lipcert.load.onnx_signature import INTEGERS, check_signature, choose_output
from lipcert.load.onnx_support import check_operators, inline_known
from lipcert.load.onnx_tensor import DTYPES, HALVES
from lipcert.load.source import Source

Reading = Literal["float", "integer"]

FIRST = next(iter(RUNTIMES))
ONE_BY_ONE = "the file runs one sample at a time, and was read so"

_QUANTISERS = frozenset({"QuantizeLinear", "DynamicQuantizeLinear", "QGemm"})


def read_onnx(
    path: Path | None = None,
    *,
    data: bytes | None = None,
    output_name: str | None = None,
    quantised: Reading = "float",
    require_oracle: bool = True,
) -> Source:
    """Read an ONNX classifier.

    path            the file; its folder may hold external data
    data            the file's bytes where they have been read already; without a path there is no folder
    output_name     which output holds the class scores, where there are several; any value of the graph may be named
    quantised       how a quantised graph is read: as the real function it stands for, or as the integers it computes
    require_oracle  refuse a file that no independent runtime accepts, instead of returning a source without oracle

    Raises:
        UnreadableModelError: damaged or self-contradictory.
        RefusedModelError: two inputs, no scores, control flow, recurrence, randomness, custom domains, unverifiable.
        UnsupportedOperatorError: operators without an interpretation; all of them are listed.
        UsageError: no such output.
    """
    model = read_model(path, data)
    graph = read_graph(inline_known(model), [choose_output(model, output_name)])
    check_operators(graph)
    check_signature(graph)
    _try_one(graph)
    oracle = _oracle(model, graph, required=require_oracle)
    source = _source(graph, _declared_batch(graph, oracle), faithful=quantised == "integer")
    if oracle is not None and oracle.name != FIRST:
        source = replace(source, notes=(*source.notes, f"onnxruntime cannot run the file; judged by {oracle.name}"))
    return replace(source, description=_description(model), oracle=oracle)


def _source(graph: OnnxGraph, declared: int | None, *, faithful: bool) -> Source:
    """The graph as a function, without the runtime that judges it."""
    single = _single(graph)
    interpreter = OnnxInterpreter(
        graph if faithful else float_products(graph),
        rounded=faithful,
        per_sample=_is_dynamic(graph),
        single=() if faithful else single,
        declared_batch=declared,
    )
    dtype = DTYPES[graph.inputs[0].elem_type] if faithful and single else torch.float32
    function, shape = OnnxFunction(interpreter, dtype), _sample_shape(graph)
    notes = _notes(graph, single, faithful=faithful)
    if declared == 1 and shape is not None and not reads_batches(function, shape):
        function, notes = OnnxFunction(interpreter, dtype, together=False), (*notes, ONE_BY_ONE)
    return Source(
        format="onnx",
        description="",
        function=function,
        named=interpreter.constants,
        input_shape=shape,
        declared_batch=declared,
        oracle=None,
        notes=notes,
        quantised=not faithful and (_is_quantised(graph) or not set(HALVES).isdisjoint(single)),
    )


def _oracle(model: ModelProto, graph: OnnxGraph, *, required: bool) -> OnnxOracle | None:
    if graph.inputs[0].elem_type in INTEGERS:
        read_as_float(model, graph.inputs[0].name)
    try:
        return find_oracle(model, graph, per_sample=_is_dynamic(graph))
    except RefusedModelError:
        if required:
            raise
        return None


def _try_one(graph: OnnxGraph) -> None:
    """Run a batch of zeros, so that a node that fits no input is named before any runtime stumbles over it.

    Where the file leaves the shape of its input open, what does not depend on the input is run: a runtime would
    compute that as soon as it opens the file.
    """
    shape, declared = _sample_shape(graph), graph.inputs[0].batch
    if shape is None:
        with torch.no_grad(), Allowance():
            OnnxInterpreter(constant_part(graph))()
        return
    size = declared if declared and declared <= LARGEST_FIXED_BATCH else 1
    dtype = DTYPES[graph.inputs[0].elem_type]
    with torch.no_grad(), Allowance(samples=size):
        batch = torch.zeros(size, *shape, dtype=dtype if dtype.is_floating_point else torch.float32)
        OnnxInterpreter(graph, declared_batch=declared)(batch)


def _declared_batch(graph: OnnxGraph, oracle: OnnxOracle | None) -> int | None:
    """The batch the file fixes: in its declaration, or in shapes that let the runtime take one sample only."""
    hidden = oracle is not None and oracle.fixed_batch == 1 and not _is_dynamic(graph)
    return 1 if hidden else graph.inputs[0].batch


def _sample_shape(graph: OnnxGraph) -> tuple[int, ...] | None:
    """Shape of one sample, None where an axis is left open."""
    shape = graph.inputs[0].shape or (None,) * 2
    sizes = tuple(size for size in shape[1:] if size is not None)
    return sizes if len(sizes) == len(shape) - 1 else None


def _is_dynamic(graph: OnnxGraph) -> bool:
    """Whether scales are taken from the data, which onnxruntime does for a whole batch."""
    return any(node.op == "DynamicQuantizeLinear" for node in graph.nodes)


def _single(graph: OnnxGraph) -> tuple[torch.dtype, ...]:
    """Number types other than float32 that the graph computes in."""
    used = {constant.dtype for constant in graph.constants.values()} | {DTYPES[graph.inputs[0].elem_type]}
    targets = (node.attributes.get("to") for node in graph.nodes if node.op == "Cast")
    used |= {DTYPES[code] for code in targets if isinstance(code, int) and code in DTYPES}
    wide = (torch.float64,) if graph.inputs[0].elem_type == TensorProto.DOUBLE else ()
    return tuple(dtype for dtype in (*HALVES, *wide) if dtype in used)


def _is_quantised(graph: OnnxGraph) -> bool:
    """Whether anything that depends on the input is rounded; weights stored as integers alone do not count."""
    operators = {node.op.rsplit("::", 1)[-1] for node in graph.nodes}
    return any(op in _QUANTISERS or op.startswith("QLinear") for op in operators)


def _description(model: ModelProto) -> str:
    writer = " ".join(filter(None, (model.producer_name, model.producer_version)))
    opset = f"ONNX opset {opset_versions(model)['']}"
    return f"{opset} ({writer})" if writer else opset


def _notes(graph: OnnxGraph, single: tuple[torch.dtype, ...], *, faithful: bool) -> tuple[str, ...]:
    notes = []
    if _is_quantised(graph):
        notes.append(
            "quantised graph read as the integers it computes; its gradient is zero almost everywhere"
            if faithful
            else "int8 graph read as float: weights dequantised, activations clamped to their range and not rounded"
        )
    if single and not faithful:
        names = " and ".join(str(dtype).removeprefix("torch.") for dtype in single)
        notes.append(f"{names} graph read as float32")
    if graph.inputs[0].elem_type in INTEGERS:
        kind = str(DTYPES[graph.inputs[0].elem_type]).removeprefix("torch.")
        notes.append(f"input declared {kind} and cast at once: read as float32")
    if graph.unused_inputs:
        names = ", ".join(value.name for value in graph.unused_inputs)
        notes.append(f"inputs that the output does not depend on were dropped: {names}")
    return tuple(notes)
