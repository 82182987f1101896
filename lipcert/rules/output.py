"""One output of an op with several."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.records import Norm
from lipcert.rules.base import AbstractRule, LinearNorms, UnboundedError, rule, unsupported
from lipcert.rules.copies import Copies
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval, entries
from lipcert.rules.relaxation import AbstractRelaxation, Affine

# Every piece of these is a value; of all other ops only the first output is (the rest are indices or statistics).
PIECES = {"split", "split_with_sizes", "unbind", "chunk"}


@final
@rule("getitem")
class Output(AbstractRule):
    """An op's gain bounds all its outputs together, hence each."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The gain of the op, for outputs that are values."""
        source, index = node.args
        if index != 0 and source.op not in PIECES:
            raise UnboundedError(node, f"output {index} of {source.op} is no continuous value")
        return gains[0]

    def interval(self, node: Node, inputs: tuple[Interval, ...], /) -> Interval:
        """The interval of an op's first output is its own. A piece is handed the interval of what is cut."""
        return inputs[0] if _first(node) else _piece(node).interval(inputs)

    def relaxation(self, node: Node, inputs: tuple[Interval, ...], output: Interval, /) -> AbstractRelaxation:
        """The identity, or copies of what is cut into pieces."""
        return Affine((_same,), identity=True) if _first(node) else _piece(node).relaxation(inputs)

    def rounding(
        self,
        node: Node,
        inputs: tuple[Interval, ...],
        output: Interval,
        deployment: Deployment,
        /,
    ) -> Tensor | float:
        """None."""
        return 0.0


def _first(node: Node) -> bool:
    return node.args[1] == 0 and node.args[0].op not in PIECES


def _piece(node: Node) -> Copies:
    """Which entries of what is cut stand in one piece."""
    source: Node = node.args[0]
    if source.op not in PIECES:
        raise unsupported(node, "interval")
    (whole,) = source.inputs
    numbers = torch.arange(whole.shape.numel(), dtype=torch.float64).reshape(whole.shape)
    places = source.run(numbers)[node.args[1]].flatten().long()
    nothing = torch.zeros(1, *entries(node), dtype=torch.float64)
    return Copies(places, nothing, (entries(whole),))


def _same(rows: Tensor) -> Tensor:
    return rows
