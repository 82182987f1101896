"""Two captures at different batch sizes become one graph whose batch axis is free.

Two points always fit a line a + b N; that the line is right is what `load/check.py` proves, by running the merged
graph at other batch sizes than the two it was made from.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
import torch.fx
from torch import Tensor

from lipcert.errors import RefusedModelError
from lipcert.graph import batch_of

aten = torch.ops.aten
RESHAPES = (aten.view.default, aten._unsafe_view.default, aten.reshape.default)


@final
class MergeError(RefusedModelError):
    """The computation depends on the batch size in a way that is not affine."""


@final
@dataclass(frozen=True, slots=True)
class Affine:
    """The integer a + b N at batch size N."""

    a: int
    b: int

    def at(self, batch: int) -> int:
        """The value at one batch size."""
        return self.a + self.b * batch


def merge(modules: Sequence[torch.fx.GraphModule], batches: tuple[int, int]) -> torch.fx.GraphModule:
    """The first module, rewritten so that it holds at every batch size. Raises MergeError."""
    first, second = modules
    pairs = list(zip(first.graph.nodes, second.graph.nodes, strict=False))
    if len(first.graph.nodes) != len(second.graph.nodes):
        raise MergeError("the number of operations depends on the batch size")
    x = next(iter(first.graph.nodes))
    for node, other in pairs:
        if (node.op, str(node.target)) != (other.op, str(other.target)):
            raise MergeError(f"operation {node.target} becomes {other.target} at another batch size")
        if node.op == "get_attr":
            _merge_constant(first, second, node, batches)
        elif node.op == "call_function":
            _merge_call(x, node, other, batches)
    first.graph.lint()
    first.recompile()
    return first


def _merge_call(x: torch.fx.Node, node: torch.fx.Node, other: torch.fx.Node, batches: tuple[int, int]) -> None:
    args = _merge_value(node.args, other.args, batches)
    kwargs = {key: _merge_value(value, other.kwargs[key], batches) for key, value in node.kwargs.items()}
    if node.target in RESHAPES:
        node.target = aten.reshape.default  # strides at run time need not be those at capture
        shape = list(args[1])
        if sum(isinstance(v, Affine) for v in shape) == 1 and -1 not in shape:
            args = (args[0], [-1 if isinstance(v, Affine) else v for v in shape])
    node.args = _emit(x, node, args)
    node.kwargs = _emit(x, node, kwargs)


def _merge_value(value: Any, other: Any, batches: tuple[int, int]) -> Any:
    if isinstance(value, list | tuple):
        if len(value) != len(other):
            raise MergeError("the length of an argument list depends on the batch size")
        merged = [_merge_value(v, w, batches) for v, w in zip(value, other, strict=True)]
        return tuple(merged) if isinstance(value, tuple) else merged
    if isinstance(value, torch.fx.Node | Tensor) or value == other:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        slope, rest = divmod(other - value, batches[1] - batches[0])
        if rest == 0:
            return Affine(value - slope * batches[0], slope)
    raise MergeError(f"argument {value} becomes {other} at another batch size")


def _emit(x: torch.fx.Node, at: torch.fx.Node, value: Any) -> Any:
    """Replace each Affine by nodes that compute it from the batch at run time, inserted before `at`."""
    if isinstance(value, dict):
        return {key: _emit(x, at, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_emit(x, at, item) for item in value)
    if not isinstance(value, Affine):
        return value
    graph = at.graph
    with graph.inserting_before(at):
        size = graph.call_function(batch_of, (x,))
        if value.b != 1:
            size = graph.call_function(operator.mul, (size, value.b))
        if value.a:
            size = graph.call_function(operator.add, (size, value.a))
    return size


def _merge_constant(
    first: torch.fx.GraphModule, second: torch.fx.GraphModule, node: torch.fx.Node, batches: tuple[int, int]
) -> None:
    """Keep a constant, or one of the N equal blocks it is made of and an expansion to N."""
    name = str(node.target)
    small, large = getattr(first, name), getattr(second, name)
    if small.shape == large.shape:
        if not torch.equal(small, large):
            raise MergeError(f"the values of a constant of shape {tuple(small.shape)} depend on the batch size")
        return
    shape = _merge_value(tuple(small.shape), tuple(large.shape), batches)
    block = _block(small, shape, batches[0])
    if not all(torch.equal(_repeat(block, shape, n), t) for n, t in zip(batches, (small, large), strict=True)):
        raise MergeError(f"a constant of shape {tuple(small.shape)} is not made of equal blocks, one a sample")
    setattr(first, name, block)
    _expand(next(iter(first.graph.nodes)), node, shape)


def _split(shape: Sequence[Any]) -> list[Any]:
    """Each axis of b N entries as two, N and b."""
    return [part for v in shape for part in ((Affine(0, 1), v.b) if isinstance(v, Affine) else (v,))]


def _block(tensor: Tensor, shape: Sequence[Any], batch: int) -> Tensor:
    if any(isinstance(v, Affine) and v.a for v in shape):
        raise MergeError(f"a constant of shape {tuple(tensor.shape)} grows with the batch, but not in blocks")
    split = _split(shape)
    index = tuple(slice(0, 1) if isinstance(v, Affine) else slice(None) for v in split)
    return tensor.reshape([batch if isinstance(v, Affine) else v for v in split])[index].clone()


def _repeat(block: Tensor, shape: Sequence[Any], batch: int) -> Tensor:
    split = [batch if isinstance(v, Affine) else v for v in _split(shape)]
    return block.expand(split).reshape([v.at(batch) if isinstance(v, Affine) else v for v in shape])


def _expand(x: torch.fx.Node, constant: torch.fx.Node, shape: Sequence[Any]) -> None:
    graph = constant.graph
    with graph.inserting_after(constant):
        expanded = graph.call_function(aten.expand.default, (constant, ()))
    with graph.inserting_after(expanded):
        whole = graph.call_function(aten.reshape.default, (expanded, ()))
    constant.replace_all_uses_with(whole, delete_user_cb=lambda user: user is not expanded)
    expanded.args = (constant, _emit(x, expanded, _split(shape)))
    whole.args = (expanded, _emit(x, whole, list(shape)))
