"""One output of an op with several."""

from __future__ import annotations

from typing import final

from lipcert.graph import Node
from lipcert.records import Norm
from lipcert.rules.base import AbstractRule, LinearNorms, UnboundedError, rule

# Every piece of these is a value; of all other ops only the first output is (the rest are indices or statistics).
_PIECES = {"split", "split_with_sizes", "unbind", "chunk"}


@final
@rule("getitem")
class Output(AbstractRule):
    """An op's gain bounds all its outputs together, hence each."""

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:  # noqa: ARG002
        """The gain of the op, for outputs that are values."""
        source, index = node.args
        if index != 0 and source.op not in _PIECES:
            raise UnboundedError(node, f"output {index} of {source.op} is no continuous value")
        return gains[0]
