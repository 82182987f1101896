"""Which nodes can stand on one torus, and how large it must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.kernel import kernel_of
from lipcert.graph import Node
from lipcert.rules.layer_norms import LayerNorms
from lipcert.rules.pooling import _window as window


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """A torus for some nodes.

    nodes  in order of execution; all goes through the first and through the last
    size   places of the coarsest grid, per axis
    ratio  how many times finer each node's grid is, per axis
    """

    nodes: tuple[Node, ...]
    size: tuple[int, ...]
    ratio: dict[Node, tuple[int, ...]]

    @cached_property
    def frequencies(self) -> tuple[Tensor, Tensor]:
        """One of each two opposite frequencies of the coarsest grid, and how many it stands for (1 or 2)."""
        places = [torch.arange(n) for n in self.size]
        opposite = torch.zeros(1, dtype=torch.long)
        for n, at in zip(self.size, places, strict=True):
            opposite = (opposite[:, None] * n + (-at) % n).flatten()
        own = torch.arange(len(opposite))
        kept = (own <= opposite).nonzero()[:, 0]
        return kept, 1 + (opposite[kept] != kept).long()

    @property
    def widest(self) -> int:
        """The largest matrix of a value."""
        return max(node.shape[1] * math.prod(self.ratio[node]) for node in self.nodes)


def lay_out(nodes: Sequence[Node], norms: LayerNorms) -> Grid | None:
    """A torus for the longest run of `nodes`, from the first on, that ends where all goes through one node.

    None where not even two nodes fit.
    """
    first = nodes[0]
    if len(first.shape) < 3 or first.shape[0] != 1:
        return None
    axes = len(first.shape) - 2
    down: dict[Node, tuple[int, ...]] = {first: (1,) * axes}
    for node in nodes[1:]:
        steps = _steps(node, axes, norms)
        before = {down.get(source) for source in node.inputs}
        if steps is None or len(before) != 1 or None in before:
            break
        (inner,) = before
        assert inner is not None
        down[node] = tuple(d * s for d, s in zip(inner, steps, strict=True))
    kept = _to_a_cut(list(down), nodes)
    if len(kept) < 2:
        return None
    total = [math.lcm(*(down[node][axis] for node in kept)) for axis in range(axes)]
    ratio = {node: tuple(t // d for t, d in zip(total, down[node], strict=True)) for node in kept}
    size = tuple(_size(kept, ratio, axis, norms) for axis in range(axes))
    return Grid(tuple(kept), size, ratio)


def _steps(node: Node, axes: int, norms: LayerNorms) -> tuple[int, ...] | None:
    """By how much a node coarsens the grid; None where it does not stay on one."""
    if node.op == "getitem":
        return (1,) * axes if node.args[1] == 0 else None
    if len(node.shape) != axes + 2 or any(len(source.shape) != axes + 2 for source in node.inputs):
        return None
    kernel = kernel_of(node, norms)
    if kernel is not None:
        return kernel.stride
    if node.op.startswith("max_pool"):
        return tuple(window(node, axes)[1])
    return (1,) * axes if all(source.shape[2:] == node.shape[2:] for source in node.inputs) else None


def _to_a_cut(found: list[Node], nodes: Sequence[Node]) -> list[Node]:
    """The nodes up to the last one through which alone everything later goes."""
    place = {node: at for at, node in enumerate(nodes)}
    last = dict(place)
    for node in nodes:
        last.update({source: place[node] for source in node.inputs if source in last})
    reach, cut = 0, 0
    for at, node in enumerate(found):
        if reach <= at:
            cut = at
        reach = max(reach, last[node])
    return found[: cut + 1]


def _size(nodes: Sequence[Node], ratio: dict[Node, tuple[int, ...]], axis: int, norms: LayerNorms) -> int:
    """The least number of coarsest places at which every node's own grid is large enough."""
    least = 1
    for node in nodes:
        least = max(least, math.ceil(node.shape[2 + axis] / ratio[node][axis]))
        kernel = kernel_of(node, norms) if node is not nodes[0] else None
        if kernel is not None:
            (source,) = node.inputs
            room = kernel.room(axis, source.shape[2 + axis], node.shape[2 + axis])
            least = max(least, math.ceil(room / ratio[source][axis]))
    return least
