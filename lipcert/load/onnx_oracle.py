"""The original runtime of an ONNX file."""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from onnx import ModelProto, TensorProto, ValueInfoProto, helper
from torch import Tensor

from lipcert.errors import RefusedModelError
from lipcert.load.onnx_graph import OnnxGraph, read_graph
from lipcert.load.onnx_runtimes import RUNTIMES, Runtime

LARGEST_FIXED_BATCH = 256
"""A fixed batch above this is the size of some data set, and the file is run with a free one."""

_HEADS = frozenset({"Softmax", "LogSoftmax", "Sigmoid", "Log"})
_BETWEEN = frozenset("Identity Cast Reshape Flatten Squeeze Unsqueeze".split())


@final
class OnnxOracle:
    """One output of an ONNX model as an independent runtime computes it, for float32 batches on the CPU.

    name         the runtime
    fixed_batch  samples it must be given at a time, or None
    logits_name  the value before a softmax or sigmoid at the end of the model; None where there is no such head
    """

    def __init__(
        self, model: ModelProto, graph: OnnxGraph, runtime_name: str, runtime: Runtime, fixed_batch: int | None
    ) -> None:
        self.name = runtime_name
        self.fixed_batch = fixed_batch
        self.logits_name = head_input(graph)
        self._model = model
        self._runtime = runtime
        self._input = graph.inputs[0].name
        self._dtype = helper.tensor_dtype_to_np_dtype(model_input(model, self._input).type.tensor_type.elem_type)
        self._run = runtime(model)

    def __call__(self, batch: Tensor) -> Tensor:
        """Output for a batch, shape (N, ...), float32. Raises RefusedModelError when the runtime cannot run it."""
        size = self.fixed_batch
        if not len(batch):  # few runtimes take a batch of nothing; one sample tells the shape of its output
            return self(batch.new_zeros((1, *batch.shape[1:])))[:0]
        if size is None:
            return self._slice(batch)
        pieces = []
        for piece in torch.split(batch, size):
            missing = size - piece.shape[0]
            padded = torch.cat([piece, piece[-1:].expand(missing, *piece.shape[1:])]) if missing else piece
            pieces.append(self._slice(padded)[: piece.shape[0]])
        return torch.cat(pieces)

    def _slice(self, batch: Tensor) -> Tensor:
        array = batch.detach().cpu().numpy()
        try:
            result = self._run({self._input: np.ascontiguousarray(array, dtype=self._dtype)})
        except Exception as error:
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise RefusedModelError(f"{self.name} cannot run the model on {list(batch.shape)}: {first[0]}") from error
        return torch.from_numpy(np.array(result, dtype=np.float32))

    def at(self, value: str) -> OnnxOracle:
        """The same runtime asked for another value of the graph, such as `logits_name`."""
        graph = read_graph(self._model, [value])
        return OnnxOracle(pruned(self._model, graph), graph, self.name, self._runtime, self.fixed_batch)


def find_oracle(model: ModelProto, graph: OnnxGraph, *, per_sample: bool) -> OnnxOracle:
    """The first runtime that runs the model, tried on zeros where the shape of its input is known.

    Raises RefusedModelError with every runtime's own words where none does.
    """
    model, batch = pruned(model, graph), graph.inputs[0].batch
    if batch is not None and batch > LARGEST_FIXED_BATCH:
        free_batch(model)
        batch = None
    sizes = [1] if per_sample else [batch] if batch else [None, 1]
    shape = graph.inputs[0].shape
    sample = None if shape is None or None in shape[1:] else [size or 1 for size in shape[1:]]
    refusals: list[str] = []
    for name, runtime in RUNTIMES.items():
        for size in sizes:
            try:
                oracle = OnnxOracle(model, graph, name, runtime, size)
                if sample is not None:
                    oracle(torch.zeros([size or 2, *sample]))
            except Exception as error:  # noqa: BLE001  every runtime raises kinds of its own
                refusals.append(f"{name}: {(str(error).strip().splitlines() or [type(error).__name__])[0][:200]}")
            else:
                return oracle
    raise RefusedModelError(
        "no independent runtime runs the file, so what is read from it cannot be verified: "
        + "; ".join(dict.fromkeys(refusals)),
        hint="export the model again with a current operator set",
    )


def model_input(model: ModelProto, name: str) -> ValueInfoProto:
    """The declaration of an input."""
    found: ValueInfoProto = next(value for value in model.graph.input if value.name == name)
    return found


def pruned(model: ModelProto, graph: OnnxGraph) -> ModelProto:
    """A copy of the model with what its one output needs, and nothing else that a runtime would also run."""
    copy = ModelProto()
    copy.CopyFrom(model)
    inputs = {value.name for value in graph.inputs}
    kept = {name for node in graph.nodes for name in node.outputs} | set(graph.constants)
    nodes = [node for node in model.graph.node if any(name in kept for name in node.output if name)]
    read = {name for node in nodes for name in node.input} | {graph.outputs[0].name}
    del copy.graph.node[:], copy.graph.input[:], copy.graph.output[:], copy.graph.initializer[:]
    copy.graph.node.extend(nodes)
    copy.graph.initializer.extend(tensor for tensor in model.graph.initializer if tensor.name in read)
    del copy.graph.sparse_initializer[:]
    copy.graph.sparse_initializer.extend(t for t in model.graph.sparse_initializer if t.values.name in read)
    copy.graph.input.extend(v for v in model.graph.input if v.name in inputs or v.name in read)
    name = graph.outputs[0].name
    copy.graph.output.append(next((v for v in model.graph.output if v.name == name), ValueInfoProto(name=name)))
    return copy


def free_batch(model: ModelProto) -> None:
    """Take the size of the first axis out of every declaration."""
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        if value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].ClearField("dim_value")


def read_as_float(model: ModelProto, name: str) -> None:
    """Declare an integer input as float32; its first use is a cast, which takes either."""
    model_input(model, name).type.tensor_type.elem_type = TensorProto.FLOAT


def head_input(graph: OnnxGraph) -> str | None:
    """The value that the softmax, log-softmax or sigmoid at the end of a graph is applied to."""
    producer = {name: node for node in graph.nodes for name in node.outputs}
    name, found = graph.outputs[0].name, None
    while (node := producer.get(name)) is not None and node.op in _HEADS | _BETWEEN:
        name = node.inputs[0]
        if node.op in ("Softmax", "LogSoftmax", "Sigmoid"):
            return name
    return found
