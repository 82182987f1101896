"""One live value of a graph: something computed from the input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import torch.fx
from torch import Size, Tensor


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """An operation on live values, with everything else resolved to constants at batch size 1.

    name    the user's name of the layer where its parameters have one, else op and position
    op      the ATen op without namespace and overload: "convolution", "addmm", "relu"; "input" for the placeholder
    args    positional arguments: Node for a live value, Tensor or Python value for a constant, nested lists as they are
    kwargs  keyword arguments, likewise
    shape   shape at batch size 1, the batch axis included; of the first output where there are several
    shapes  shapes of all outputs
    raw     the torch.fx node, for rewrites
    """

    name: str
    op: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[Size, ...]
    raw: torch.fx.Node = field(repr=False)
    parameter_names: tuple[str, ...] = ()

    @property
    def shape(self) -> Size:
        """Shape of the first output at batch size 1."""
        return self.shapes[0]

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The live values this node reads, in argument order, repeated where read twice."""
        return tuple(_live((self.args, tuple(self.kwargs.values()))))

    def run(self, *inputs: Tensor) -> Any:
        """Apply the op to `inputs`, shaped for batch size 1, in place of its live arguments."""
        queue = list(inputs)
        args, kwargs = _fill(self.args, queue), _fill(self.kwargs, queue)
        return self.raw.target(*args, **kwargs)  # type: ignore[operator]


def _live(value: Any) -> list[Node]:
    if isinstance(value, Node):
        return [value]
    if isinstance(value, list | tuple):
        return [node for item in value for node in _live(item)]
    return []


def _fill(value: Any, queue: list[Tensor]) -> Any:
    if isinstance(value, Node):
        return queue.pop(0)
    if isinstance(value, dict):
        return {key: _fill(item, queue) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_fill(item, queue) for item in value)
    return value
