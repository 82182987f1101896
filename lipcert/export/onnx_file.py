"""ONNX files written back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from lipcert.errors import RefusedModelError
from lipcert.load.onnx_file import MAX_BYTES, read_model
from lipcert.pipeline import AnalyzeRequest

_WRITTEN = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)


def scale_onnx(request: AnalyzeRequest, data: bytes, factors: Mapping[str, float]) -> bytes:
    """The model with initializers and Constant nodes scaled, as one file: external data are brought in.

    Functions that the file defines stand in place of their calls, as they were read.
    """
    model = read_model(request.model, data)
    stored = _stored(model)
    for name, factor in factors.items():
        if name not in stored:
            raise RefusedModelError(f"{name} is no initializer and no plain Constant of the file; it cannot be written")
        _scale(stored[name], name, factor)
    if model.ByteSize() > MAX_BYTES:
        raise RefusedModelError(
            f"the model with its external data takes {model.ByteSize():,} bytes, too many for one file"
        )
    written: bytes = model.SerializeToString()
    return written


def _stored(model: ModelProto) -> dict[str, TensorProto]:
    """Tensors of the graph by the name of their value."""
    constants = {
        node.output[0]: attribute.t
        for node in model.graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    }
    return constants | {tensor.name: tensor for tensor in model.graph.initializer}


def _scale(tensor: TensorProto, name: str, factor: float) -> None:
    if tensor.data_type not in _WRITTEN:
        raise RefusedModelError(
            f"{name} is stored as {TensorProto.DataType.Name(tensor.data_type)}; it cannot be written"
        )
    array = numpy_helper.to_array(tensor)
    scaled = (array.astype(np.float64) * factor).astype(array.dtype)
    tensor.CopyFrom(numpy_helper.from_array(scaled, tensor.name))
