"""The table of ONNX operators, and what a handler is told about its node."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, final

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing

from lipcert.errors import RefusedModelError, UnsupportedOperatorError
from lipcert.load.preflight.onnx_message import MAX_ELEMENTS
from lipcert.registry import Registry


@final
@dataclass(frozen=True, slots=True)
class Quantised:
    """A live quantised tensor in the float reading: `real` values before rounding, stored as real / scale + zero_point.

    `real` is clamped to the representable range.
    """

    real: Tensor
    scale: float
    zero_point: int

    @property
    def stored(self) -> Tensor:
        """What the integer tensor would hold were it not rounded."""
        return self.real / self.scale + self.zero_point


Value: TypeAlias = Tensor | Quantised
Result: TypeAlias = Value | tuple[Value | None, ...]
Handler: TypeAlias = Callable[..., Result]

F = TypeVar("F", bound=Callable[..., Result])

OPERATORS: Registry[Handler] = Registry("ONNX operator")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NodeContext:
    """One node as its handler sees it.

    op, name        operator type, and the node's name (its first output where it has none)
    attributes      decoded attributes; strings are str, tensors are TensorProto
    version         version of the operator set the node is read under
    outputs         the names of its outputs, "" for one that is not asked for
    inputs, live    its input values, and which of them derive from the model's input
    declared_batch  batch size the file fixes, or None
    running_batch   batch size of this run, or None when the model's input is a scalar
    per_sample      statistics of the batch are taken sample by sample
    rounded         quantised nodes round to integers (False in the float reading)
    single          number types that are read as float32
    """

    op: str
    name: str
    attributes: Mapping[str, Any]
    version: int
    outputs: tuple[str, ...]
    inputs: tuple[Value | None, ...]
    live: tuple[bool, ...]
    declared_batch: int | None = None
    running_batch: int | None = None
    per_sample: bool = False
    rounded: bool = True
    single: tuple[torch.dtype, ...] = ()

    def get(self, attribute: str, default: Any = None) -> Any:
        """The attribute's value, or `default` where the node does not state it."""
        return self.attributes.get(attribute, default)

    def wants(self, position: int) -> bool:
        """Whether the output at `position` is read by anyone."""
        return position < len(self.outputs) and bool(self.outputs[position])

    def constant(self, position: int) -> Tensor | None:
        """The input at `position`, which must not depend on the model's input; None where it is left out."""
        if position >= len(self.inputs) or self.inputs[position] is None:
            return None
        value = self.inputs[position]
        if self.live[position] or not isinstance(value, Tensor):
            raise self.refused(f"input {position} decides a shape or an index and depends on the data")
        return value

    def integers(self, position: int) -> list[int] | None:
        """The constant input at `position` as a flat list of integers; None where it is left out."""
        value = self.constant(position)
        return None if value is None else [int(item) for item in entries(value)]

    def number(self, position: int) -> float | None:
        """The constant input at `position` as one number; None where it is left out or empty."""
        value = self.constant(position)
        return None if value is None or value.numel() == 0 else entries(value)[0]

    def integers_or_attribute(self, position: int, attribute: str) -> list[int] | None:
        """A list that older operator sets hold in `attribute` and newer ones in the input at `position`."""
        given = self.integers(position)
        stated = self.attributes.get(attribute)
        return given if given is not None or stated is None else [int(item) for item in stated]

    def unsupported(self, what: str) -> UnsupportedOperatorError:
        """The error for a variant of the operator that has no interpretation here."""
        return UnsupportedOperatorError(
            f"node {self.name!r} ({self.op}, opset {self.version}): {what} is not supported", operators=(self.op,)
        )

    def refused(self, why: str) -> RefusedModelError:
        """The error for a node that cannot be read as a fixed function of one sample."""
        return RefusedModelError(f"node {self.name!r} ({self.op}, opset {self.version}): {why}")

    def bounded(self, shape: Sequence[int]) -> list[int]:
        """`shape`, once it is known to be one that memory can hold."""
        if math.prod(shape) > MAX_ELEMENTS:
            raise self.refused(f"it asks for a tensor of shape {list(shape)}; at most {MAX_ELEMENTS} elements are read")
        return list(shape)


def handler(*operators: str, domain: str = "") -> Callable[[F], F]:
    """Return a decorator that files a function `(context, *inputs) -> Result` under each of `operators`."""

    def file(function: F) -> F:
        for operator in operators:
            OPERATORS.register(qualified(domain, operator))(function)
        return function

    return file


def pointwise(**functions: Callable[..., Tensor]) -> None:
    """File torch functions of the inputs alone, each under the operator named by its keyword."""
    for operator, function in functions.items():
        OPERATORS.register(operator)(_without_context(function))


def _without_context(function: Callable[..., Tensor]) -> Handler:
    def handle(_context: NodeContext, *inputs: Tensor) -> Tensor:
        return function(*inputs)

    return handle


def qualified(domain: str, operator: str) -> str:
    """The table's name for an operator: bare in ONNX's own domain, `domain::operator` elsewhere."""
    return operator if domain in ("", "ai.onnx") else f"{domain}::{operator}"


def entries(constant: Tensor) -> list[Any]:
    """The entries of a constant as numbers, read without a trace of it in a capture under way."""
    with disable_proxy_modes_tracing():
        flat: list[Any] = constant.reshape(-1).tolist()
    return flat


def axis_of(tensor: Tensor, axis: int) -> int:
    """`axis` counted from the front."""
    return axis + tensor.ndim if axis < 0 else axis


def as_indices(indices: Tensor, size: int) -> Tensor:
    """Indices as int64 counted from the front of an axis of `size` entries."""
    indices = indices.to(torch.int64)
    return torch.where(indices < 0, indices + size, indices)
