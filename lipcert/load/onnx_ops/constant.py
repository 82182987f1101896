"""Values a file spells out, and changes of number type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lipcert.errors import UnsupportedOperatorError
from lipcert.load.onnx_ops.base import NodeContext, entries, handler
from lipcert.load.onnx_tensor import DTYPES, to_tensor


@handler("Constant")
def constant(context: NodeContext) -> Tensor:
    """The tensor written in the node."""
    return constant_of(context.name, context.attributes)


def constant_of(name: str, attributes: Mapping[str, Any]) -> Tensor:
    """The tensor that the attributes of a Constant node spell out."""
    for attribute, value in attributes.items():
        if attribute == "value":
            return to_tensor(value)
        if attribute in ("value_float", "value_floats"):
            return torch.tensor(value, dtype=torch.float32)
        if attribute in ("value_int", "value_ints"):
            return torch.tensor(value, dtype=torch.int64)
    kinds = ", ".join(attributes) or "nothing"
    raise UnsupportedOperatorError(
        f"constant {name!r} is given as {kinds}; tensors and numbers are read", operators=("Constant",)
    )


@handler("ConstantOfShape")
def constant_of_shape(context: NodeContext, _shape: Tensor) -> Tensor:
    """A tensor of one value throughout."""
    value = to_tensor(context.get("value")) if "value" in context.attributes else torch.zeros(1)
    shape = context.bounded(context.integers(0) or [])
    return torch.full(shape, entries(value)[0], dtype=value.dtype)


@handler("Range")
def arange(context: NodeContext, start: Tensor, _limit: Tensor, _delta: Tensor) -> Tensor:
    """start, start + delta, ... up to but without the limit."""
    first, limit, delta = (context.number(position) for position in range(3))
    if first is None or limit is None or not delta:
        raise context.refused("a range needs a start, a limit and a delta that is not zero")
    context.bounded([max(0, int((limit - first) / delta))])
    return torch.arange(first, limit, delta, dtype=start.dtype)


@handler("EyeLike")
def eye_like(context: NodeContext, x: Tensor) -> Tensor:
    """A matrix of x's shape with ones on its k-th diagonal."""
    dtype = DTYPES[context.get("dtype")] if "dtype" in context.attributes else x.dtype
    diagonal = context.get("k", 0)
    rows, columns = torch.arange(x.shape[0]).reshape(-1, 1), torch.arange(x.shape[1])
    on_diagonal: Tensor = columns - rows == diagonal
    return on_diagonal.to(dtype)


@handler("Cast")
def cast(context: NodeContext, x: Tensor) -> Tensor:
    """The input in another number type."""
    return _convert(context, x, _target(context))


@handler("CastLike")
def cast_like(context: NodeContext, x: Tensor, like: Tensor) -> Tensor:
    """The input in the number type of another tensor."""
    return _convert(context, x, like.dtype)


_OLD_NAMES = {"FLOAT": 1, "UINT8": 2, "INT8": 3, "INT16": 5, "INT32": 6, "INT64": 7, "BOOL": 9, "DOUBLE": 11}


def _target(context: NodeContext) -> torch.dtype:
    """The type a Cast names: by number, before operator set 6 by word."""
    to = context.get("to")
    code = _OLD_NAMES.get(to, 0) if isinstance(to, str) else to
    if code not in DTYPES:
        raise context.unsupported(f"a cast to data type {to}")
    return torch.float32 if DTYPES[code] in context.single else DTYPES[code]


def _convert(context: NodeContext, x: Tensor, dtype: torch.dtype) -> Tensor:
    if not context.rounded and context.live[0] and x.is_floating_point() and _is_small_integer(dtype):
        raise context.unsupported(f"a cast of a value that depends on the input to {dtype} in the float reading")
    return x.to(dtype)


def _is_small_integer(dtype: torch.dtype) -> bool:
    return dtype in (torch.uint8, torch.int8, torch.uint16, torch.int16)
