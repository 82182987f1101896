"""The walls of the linear region around a sample: where an activation meets a breakpoint, or two entries swap order.

A classifier is piecewise linear when every node between input and logits is affine, or bends only at breakpoints of
values inside. Within the region where none of them passes its breakpoint the classifier is affine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lipcert.graph import Graph, Node
from lipcert.graph.intermediate import values_of
from lipcert.records import Skipped
from lipcert.rules.base import RULES, argument

Walls = Callable[[Tensor], Tensor]

_JOINS = frozenset({"add", "sub", "rsub", "neg", "cat", "stack"})
_PARTS = frozenset({"split", "split_with_sizes", "unbind", "chunk", "native_batch_norm"})
_AT_ZERO = frozenset({"relu", "leaky_relu", "abs", "sign"})
_POOLS = {
    "max_pool1d_with_indices": 1,
    "max_pool2d_with_indices": 2,
    "max_pool3d_with_indices": 3,
    "max_pool2d": 2,
    "max_pool3d": 3,
}


def walls_of(graph: Graph) -> Walls | Skipped:
    """Functions x -> (N, walls), affine in the region of x, whose zeros are its walls; no column for an affine net.

    Skipped where a node is neither affine nor piecewise linear in a known way, with the names of such ops.
    """
    nodes = _above(graph.output)
    bends = [node for node in nodes if not _is_affine(node)]
    unknown = sorted({node.op for node in bends if not _is_known(node)})
    if unknown:
        return Skipped(
            reason=f"the network is not known to be piecewise linear: it holds {', '.join(unknown)}",
            operators=tuple(unknown),
        )
    wanted = list(dict.fromkeys(source for node in bends for source in node.inputs))

    def walls(x: Tensor) -> Tensor:
        values = dict(zip(wanted, values_of(graph, wanted, x), strict=True))
        parts = [part.flatten(1) for node in bends for part in _walls(node, [values[s] for s in node.inputs])]
        return torch.cat(parts, dim=1) if parts else x.new_zeros(len(x), 0)

    return walls


def _above(output: Node) -> list[Node]:
    """Every node the output depends on, the input left out."""
    found: dict[Node, None] = {}
    stack = [output]
    while stack:
        node = stack.pop()
        if node not in found and node.op != "input":
            found[node] = None
            stack += node.inputs
    return list(found)


def _is_affine(node: Node) -> bool:
    if node.op == "getitem":
        return node.args[1] == 0 or node.inputs[0].op in _PARTS
    if node.op in _JOINS:
        return True
    if node.op in _PARTS:
        return len(node.inputs) == 1
    return len(node.inputs) == 1 and node.op in RULES and RULES[node.op]().link(node) is not None


def _is_known(node: Node) -> bool:
    if node.op in {"maximum", "minimum"} or node.op in _POOLS:
        return True
    if node.op in {"amax", "amin"} or (node.op == "_prelu_kernel" and len(node.inputs) == 1):
        return True
    return node.op in _AT_ZERO or _breakpoints(node) is not None


def _walls(node: Node, values: Sequence[Tensor]) -> Iterator[Tensor]:
    """The wall functions of one node from the values it reads."""
    value = values[0]
    if node.op in _POOLS:
        yield _pooling(node, value, _POOLS[node.op])
    elif node.op in {"maximum", "minimum"}:
        yield value - (values[1] if len(values) > 1 else _constant(node).to(value))
    elif node.op in {"amax", "amin"}:
        # The winner's own difference is zero with a zero gradient: it is no wall.
        axes: Any = argument(node, 1, "dim") or list(range(1, value.ndim))
        yield getattr(value, node.op)(dim=axes, keepdim=True) - value
    elif node.op in _AT_ZERO or node.op == "_prelu_kernel":
        yield value
    else:
        yield from (value - point.to(value) for point in _breakpoints(node) or ())


def _constant(node: Node) -> Tensor:
    (constant,) = (arg for arg in node.args[:2] if isinstance(arg, Tensor))
    return constant


def _breakpoints(node: Node) -> list[Tensor] | None:
    """Where an activation of constant breakpoints bends; None for any other op."""
    if len(node.inputs) != 1:
        return None
    if node.op == "hardsigmoid":
        points: list[Any] = [-3.0, 3.0]
    elif node.op == "hardtanh":
        points = [argument(node, 1, "min_val", -1.0), argument(node, 2, "max_val", 1.0)]
    elif node.op in {"clamp", "clamp_min", "clamp_max"}:
        points = [argument(node, 1, "max" if node.op == "clamp_max" else "min"), argument(node, 2, "max")]
    else:
        return None
    return [torch.as_tensor(point, dtype=torch.float64) for point in points if point is not None]


def _pooling(node: Node, value: Tensor, axes: int) -> Tensor:
    """The largest entry of each window less each of its entries; padding is never largest."""
    kernel = _each(node.args[1], axes)
    stride = _each(argument(node, 2, "stride") or kernel, axes)
    padding, dilation = _each(argument(node, 3, "padding", 0), axes), _each(argument(node, 4, "dilation", 1), axes)
    places = range(value.ndim - axes, value.ndim)
    for place, k, step, before, gap in zip(places, kernel, stride, padding, dilation, strict=True):
        reach, count = gap * (k - 1) + 1, node.shape[place]
        after = (count - 1) * step + reach - value.shape[place] - before
        value = _padded(value, place, before, max(0, after))
        # Windows go to a last axis of their own; the axes before it keep their places.
        value = value.unfold(place, reach, step).narrow(place, 0, count)[..., ::gap]
    entries = value.flatten(value.ndim - axes)
    return entries.amax(dim=-1, keepdim=True) - entries


def _padded(value: Tensor, axis: int, before: int, after: int) -> Tensor:
    """`value` with -infinity around it on one axis."""
    widths = [0, 0] * (value.ndim - axis - 1) + [before, after]
    return functional.pad(value, widths, value=-torch.inf) if before or after else value


def _each(given: Any, axes: int) -> list[int]:
    numbers = list(given) if isinstance(given, list | tuple) else [given]
    return numbers * axes if len(numbers) == 1 else numbers
