"""How much work one forward pass is, and how many samples a budget pays for."""

from __future__ import annotations

from torch import Tensor

from lipcert.graph import Graph, Node

BUDGET = 2.2e10
"""Multiply-adds that one diagnostic may spend: about four seconds of one core in float64."""

_ENTRY = 8  # an entry of an activation costs about as much as so many multiply-adds


def multiply_adds(graph: Graph) -> float:
    """Roughly the multiply-adds of one forward pass for one sample."""
    return float(sum(_products(node) + _ENTRY * node.shape.numel() for node in graph.nodes))


def _products(node: Node) -> float:
    """Entries of the output times the terms of each."""
    weights = [arg for arg in node.args if isinstance(arg, Tensor) and arg.ndim >= 2]
    if node.op in {"mm", "bmm", "matmul", "baddbmm"} and not weights:
        return float(node.shape.numel() * node.inputs[0].shape[-1])
    if not weights or len(node.shape) < 2:
        return 0.0
    channels = node.shape[1] if node.op == "convolution" else node.shape[-1]
    return node.shape.numel() * weights[-1].numel() / max(1, channels)


def affordable(graph: Graph, passes: float, *, most: int, budget: float = BUDGET) -> int:
    """How many samples, `most` at most and possibly none, can have so many forward passes each."""
    return min(most, int(budget / (passes * multiply_adds(graph))))


def spread_out(available: int, wanted: int) -> list[int]:
    """Up to `wanted` sample numbers evenly through the data: a file sorted by class must not give one class alone."""
    count = min(available, wanted)
    return [position * available // count for position in range(count)]
