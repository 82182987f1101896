"""Nodes that slide windows over maps, convolutions and max pools, and where in its input a window of the output reads.

A window of h places of the output, kernel k, stride s, dilation d, padding p, at corner o, reads the
(h - 1) s + (k - 1) d + 1 places of the input from o s - p on.
"""

from __future__ import annotations

import torch
from torch import Size, Tensor

from lipcert.graph import Node
from lipcert.rules.base import RULES, argument
from lipcert.rules.largest import Step
from lipcert.rules.pooling import MaxPooling, max_pool_steps


def is_convolution(node: Node) -> bool:
    """Whether the node is a convolution of maps with a constant kernel, not transposed, one image a sample."""
    if node.op != "convolution" or node.shape[0] != 1 or bool(node.args[6]):
        return False
    return isinstance(node.args[0], Node) and isinstance(node.args[1], Tensor) and len(node.inputs) == 1


def steps_of(node: Node) -> list[Step] | None:
    """Kernel, stride, padding and dilation of each axis; None where the node slides no windows."""
    if is_convolution(node):
        kernel = node.args[1].shape[2:]
        others = (_each(node.args[i], len(kernel)) for i in (3, 4, 5))
        return list(zip(kernel, *others, strict=True))
    if node.op in RULES and RULES[node.op] is MaxPooling and node.shape[0] == 1:
        steps = max_pool_steps(node)
        return steps if len(node.shape) == len(steps) + 2 else None
    return None


def read_by(node: Node, size: Size) -> Size:
    """Extent of what windows of `size` of a sliding node's output read of its input."""
    steps = steps_of(node)
    assert steps is not None
    return Size((h - 1) * s + (k - 1) * d + 1 for h, (k, s, _, d) in zip(size, steps, strict=True))


def corners_before(node: Node, places: Tensor) -> Tensor:
    """First places of what is read, for windows of the output that begin at `places`."""
    steps = steps_of(node)
    assert steps is not None
    strides, paddings = (torch.tensor([step[i] for step in steps], device=places.device) for i in (1, 2))
    return places * strides - paddings


def too_wide(node: Node, size: Size) -> bool:
    """Whether what windows of `size` read is more than half of the input."""
    return 2 * read_by(node, size).numel() > node.inputs[0].shape[2:].numel()


def opens_windows(node: Node) -> bool:
    """Whether units of the node go over into windows of its input."""
    steps = steps_of(node)
    return steps is not None and not too_wide(node, Size([1] * len(steps)))


def joins_channels(node: Node) -> bool:
    """Whether a node is nothing but live maps stacked by channel."""
    if node.op != "cat" or node.shape[0] != 1 or len(node.shape) < 3:
        return False
    stacked = all(isinstance(part, Node) for part in node.args[0])
    return stacked and argument(node, 1, "dim", 0) in {1, 1 - len(node.shape)}


def _each(numbers: list[int], axes: int) -> list[int]:
    return list(numbers) * axes if len(numbers) == 1 else list(numbers)
