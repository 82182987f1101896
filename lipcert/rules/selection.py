"""Ops whose every output is a copy of an input or a constant: reshaping, slicing, joining, padding, gathering.

Their matrix has one 1 in each row or none. Running the op on the numbers 0, 1, 2, ... in place of the input shows
which input stands where, hence how often each is copied: at most m_i times from the i-th live value.
A change of the inputs by
d_1, d_2, ... then changes the output by at most

    linf: max |d_i|      l1: sum m_i |d_i|      l2: sqrt(sum m_i |d_i|^2).
"""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import GatherOperator
from lipcert.records import Norm
from lipcert.rounding import product_up, sqrt_up, sum_up
from lipcert.rules.base import AbstractRule, LinearNorms, UnboundedError, offset, rule, unsupported
from lipcert.rules.copies import Copies
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.relaxation import AbstractRelaxation

_ONE_SOURCE = (
    "view reshape _unsafe_view flatten unflatten permute t transpose squeeze unsqueeze clone alias detach contiguous "
    "lift_fresh_copy _to_copy slice select narrow expand repeat flip roll diagonal as_strided index_select gather "
    "index constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d "
    "replication_pad3d im2col unfold pixel_shuffle pixel_unshuffle channel_shuffle split split_with_sizes unbind chunk "
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d tril triu masked_fill slice_copy view_copy"
).split()
_FILLING = ("constant_pad_nd", "masked_fill")  # of these the ones that write constants
_SEVERAL_SOURCES = ("cat", "stack", "slice_scatter", "select_scatter", "where")


@final
@rule(*_ONE_SOURCE, *_SEVERAL_SOURCES)
class Selection(AbstractRule):
    """How often each live value is copied, counted on the op itself."""

    def link(self, node: Node, /) -> GatherOperator | None:
        """Which entry of the one live value stands at each place of the output."""
        if len(node.inputs) != 1 or len(node.shapes) != 1:
            return None
        try:
            places = sources(node)
        except UnboundedError:
            return None
        return GatherOperator(places.reshape(node.shape), node.inputs[0].shape)

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The bound above."""
        if node.op not in _SEVERAL_SOURCES and len(gains) != 1:
            raise UnboundedError(node, "what it selects depends on the input")
        if node.op == "where" and isinstance(node.args[0], Node):
            raise UnboundedError(node, "which branch it takes depends on the input")
        counts = copies(node)
        if norm == "linf":
            return max((gain for count, gain in zip(counts, gains, strict=True) if count), default=0.0)
        if norm == "l1":
            return sum_up(product_up((float(count), gain)) for count, gain in zip(counts, gains, strict=True))
        squares = (product_up((float(count), gain, gain)) for count, gain in zip(counts, gains, strict=True))
        # The root of a square rounds back up: an input passed on once keeps its gain to the last digit.
        return gains[0] if counts == [1] else sqrt_up(sum_up(squares))

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """Copies of the ends."""
        return copies_of(node).interval(inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """Exact."""
        return copies_of(node).relaxation(inputs)

    def rounding(
        self,
        node: Node,
        inputs: tuple[Interval, ...],
        output: Interval,
        deployment: Deployment,
        /,
    ) -> Tensor | float:
        """Copies are exact; constants among them are read as the deployed arithmetic holds them."""
        if deployment.dtype is None or (node.op in _ONE_SOURCE and node.op not in _FILLING):
            return 0.0
        copied = copies_of(node)
        lost = deployment.misread(copied.constant)
        return lost.masked_fill((copied.places >= 0).reshape(copied.shape), 0.0)


def copies_of(node: Node) -> Copies:
    """The copies of a node with one output. Raises UnsupportedOperatorError where the input decides what is copied."""
    if (node.op not in _SEVERAL_SOURCES and len(node.inputs) != 1) or (
        node.op == "where" and isinstance(node.args[0], Node)
    ):
        raise unsupported(node, "interval")
    try:
        places = sources(node)
    except UnboundedError:
        raise unsupported(node, "interval") from None
    return Copies(places, offset(node), tuple(entries(source) for source in node.inputs))


def copies(node: Node) -> list[int]:
    """The largest number of copies of one entry of each live input, over all outputs together."""
    sizes = [source.shape.numel() for source in node.inputs]
    places = sources(node)
    seen = torch.bincount(places[places >= 0].cpu(), minlength=sum(sizes))
    return [int(part.max()) if part.numel() else 0 for part in torch.split(seen, sizes)]


def sources(node: Node) -> Tensor:
    """Which entry of the live inputs, numbered on through all of them, each output copies; -1 for a constant."""
    device = next((arg.device for arg in _tensors((node.args, list(node.kwargs.values())))), torch.device("cpu"))
    sizes = [source.shape.numel() for source in node.inputs]
    total = sum(sizes)
    numbers = torch.arange(total, dtype=torch.float64, device=device)
    first, second = (_flat(node, node.run(*_dealt(node, numbers + shift, sizes))) for shift in (0.0, total))
    # An output that follows the shift is a copy, and its first value says of what; constants stay where they are.
    return torch.where(second - first == total, first, -1.0).long()


def _dealt(node: Node, numbers: Tensor, sizes: list[int]) -> list[Tensor]:
    """The numbers in the shapes of the live inputs, in order."""
    parts = torch.split(numbers, sizes)
    return [part.reshape(source.shape) for part, source in zip(parts, node.inputs, strict=True)]


def _flat(node: Node, value: Any) -> Tensor:
    """All outputs in one line; a cast to integers would jump."""
    values = list(value) if isinstance(value, tuple | list) else [value]
    if any(not v.is_floating_point() for v in values):
        raise UnboundedError(node, "it casts to integers, so it jumps")
    return torch.cat([v.flatten() for v in values]) if values else torch.zeros(0, dtype=torch.float64)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [t for item in value for t in _tensors(item)] if isinstance(value, tuple | list) else []
