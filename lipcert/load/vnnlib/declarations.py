"""The variables that a property declares: how many inputs and outputs, and what each is called."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, final

from lipcert.errors import DataError
from lipcert.load.vnnlib.expression import Expression, Tree, Word, shown

Side = Literal["X", "Y"]
Variable = tuple[Side, int]
_FLAT = re.compile(r"([XY])_(\d+)")
_KINDS = {"real", "float", "float32", "float64", "double"}
_MOST = 10_000_000


@final
@dataclass(slots=True)
class Declarations:
    """Names to variables: X_0, X_1, ... and Y_0, ... one by one (VNN-LIB 1.0), or whole tensors (2.0)."""

    flat: dict[str, Variable] = field(default_factory=dict)
    tensors: dict[str, tuple[Side, tuple[int, ...]]] = field(default_factory=dict)

    def add(self, tree: Tree) -> None:
        """Take in one `declare-const` or `declare-network`. Raises DataError on anything but real variables."""
        if tree.head == "declare-network":
            for part in tree.items[2:]:
                self._add_tensor(part)
            return
        words = [item.text for item in tree.items if isinstance(item, Word)]
        match = _FLAT.fullmatch(words[1]) if len(words) == len(tree.items) == 3 else None
        if match is None or words[2].lower() not in _KINDS:
            raise DataError(f"line {tree.line}: (declare-const X_0 Real) or a Y was expected, got {shown(tree)}")
        if words[1] in self.flat:
            raise DataError(f"line {tree.line}: {words[1]} is declared twice")
        side: Side = "X" if match[1] == "X" else "Y"
        self.flat[words[1]] = side, int(match[2])

    def _add_tensor(self, part: Expression) -> None:
        words = [item.text for item in part.items if isinstance(item, Word)] if isinstance(part, Tree) else []
        sides: dict[str, Side] = {"declare-input": "X", "declare-output": "Y"}
        if not words or words[0] not in sides or len(words) < 4 or words[2].lower() not in _KINDS:
            raise DataError(
                f"line {part.line}: (declare-input X Real [3]) or a declare-output was expected, got {shown(part)}",
                hint="Networks of one real input and one real output are read.",
            )
        side = sides[words[0]]
        if any(side == taken for taken, _ in self.tensors.values()):
            raise DataError(f"line {part.line}: a second {words[0].removeprefix('declare-')} is declared, one is read")
        self.tensors[words[1]] = side, _axes(words[3:], part)

    def find(self, words: Sequence[Word]) -> tuple[Variable, int] | None:
        """The variable that the first of these words name, and how many words that takes; None where it is none."""
        name = words[0].text
        if name in self.flat:
            return self.flat[name], 1
        if name not in self.tensors:
            return None
        side, shape = self.tensors[name]
        indexed = len(words) > 1 and words[1].text.startswith("[")
        index = _axes([words[1].text], words[1]) if indexed else ()
        if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=True)):
            raise DataError(
                f"line {words[0].line}: {name}{list(index)} is no element of a tensor of shape {list(shape)}"
            )
        flat = 0
        for i, n in zip(index, shape, strict=True):
            flat = flat * n + i
        return (side, flat), 1 + indexed

    def count(self, side: Side) -> int:
        """How many variables there are on one side. Raises DataError where their numbers have gaps."""
        tensors = [math.prod(shape) for other, shape in self.tensors.values() if other == side]
        if tensors:
            return tensors[0]
        numbers = {number for other, number in self.flat.values() if other == side}
        missing = next((number for number in range(len(numbers)) if number not in numbers), None)
        if missing is not None:
            raise DataError(f"{side}_{missing} is not declared, though {side}_{max(numbers)} is")
        return len(numbers)


def _axes(words: Sequence[str], where: Expression) -> tuple[int, ...]:
    """The whole numbers of [1,2,3]."""
    text = "".join(words)
    if not re.fullmatch(r"\[(\d+(,\d+)*)?\]", text):
        raise DataError(f"line {where.line}: whole numbers in brackets were expected, like [1,5]; got {text[:40]}")
    axes = tuple(int(axis) for axis in text[1:-1].split(",") if axis)
    if math.prod(axes) > _MOST:
        raise DataError(f"line {where.line}: {text[:40]} is more than {_MOST:,} numbers")
    return axes
