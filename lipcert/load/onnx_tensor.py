"""ONNX tensors as torch tensors."""

from __future__ import annotations

import numpy as np
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor

from lipcert.errors import UnreadableModelError, UnsupportedOperatorError

DTYPES: dict[int, torch.dtype] = {
    TensorProto.FLOAT: torch.float32,
    TensorProto.UINT8: torch.uint8,
    TensorProto.INT8: torch.int8,
    TensorProto.UINT16: torch.uint16,
    TensorProto.INT16: torch.int16,
    TensorProto.INT32: torch.int32,
    TensorProto.INT64: torch.int64,
    TensorProto.BOOL: torch.bool,
    TensorProto.FLOAT16: torch.float16,
    TensorProto.DOUBLE: torch.float64,
    TensorProto.UINT32: torch.uint32,
    TensorProto.UINT64: torch.uint64,
    TensorProto.BFLOAT16: torch.bfloat16,
}
"""The number types that are read; strings, complex numbers, fractions of 8 bits and integers of fewer are not."""

HALVES = (torch.float16, torch.bfloat16)


def type_name(code: int) -> str:
    """ONNX's word for a number type, or the code where it has none."""
    names: dict[int, str] = {value: key for key, value in TensorProto.DataType.items()}
    return names.get(code, f"type {code}")


def to_tensor(proto: TensorProto) -> Tensor:
    """A tensor of the file as a torch tensor of its own memory.

    Raises UnreadableModelError where its bytes do not fill its shape, UnsupportedOperatorError on a type not read.
    """
    name = type_name(proto.data_type)
    if proto.data_type not in DTYPES:
        raise UnsupportedOperatorError(f"tensor {proto.name!r} holds {name}, which is not read", operators=(name,))
    try:
        array = numpy_helper.to_array(proto)
    except Exception as error:
        raise UnreadableModelError(f"tensor {proto.name!r} ({name}, {list(proto.dims)}) is damaged: {error}") from error
    if proto.data_type == TensorProto.BFLOAT16:
        return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.array(array))
