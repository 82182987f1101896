"""S-expressions: a text of parentheses as nested lists of words, each of which knows its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final

from lipcert.errors import DataError

_TOKEN = re.compile(
    r"(?P<space>[^\S\n]+|;[^\n]*)|(?P<line>\n)|(?P<mark>[()])|(?P<word>\[[^\]()]*\]|[^\s();\[\]]+)|(?P<bad>.)"
)
_DEEPEST = 200
_SHOWN = 60


@final
@dataclass(frozen=True, slots=True)
class Word:
    """One word, or one index in square brackets without its spaces."""

    text: str
    line: int


@final
@dataclass(frozen=True, slots=True)
class Tree:
    """What stands between two parentheses."""

    items: tuple[Word | Tree, ...]
    line: int

    @property
    def head(self) -> str:
        """The first word; empty where there is none."""
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, Word) else ""


Expression = Word | Tree


def read_expressions(text: str) -> list[Expression]:
    """Every expression of a text, in order. Raises DataError, with the line, where parentheses do not match."""
    open_items: list[list[Expression]] = [[]]
    starts: list[int] = []
    line = 1
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "line":
            line += 1
        elif kind == "word":
            open_items[-1].append(Word("".join(token[0].split()), line))
            line += token[0].count("\n")
        elif kind == "mark" and token[0] == "(":
            open_items.append([])
            starts.append(line)
            if len(starts) > _DEEPEST:
                raise DataError(f"line {line}: parentheses are nested deeper than {_DEEPEST} levels")
        elif kind == "mark":
            if not starts:
                raise DataError(f"line {line}: a closing parenthesis without an opening one")
            items = tuple(open_items.pop())
            open_items[-1].append(Tree(items, starts.pop()))
        elif kind == "bad":
            raise DataError(f"line {line}: unexpected {token[0]!r}")
    if starts:
        raise DataError(f"line {starts[-1]}: an opening parenthesis is never closed")
    return open_items[0]


def shown(expression: Expression) -> str:
    """An expression as text, cut short where it is long."""
    text = _text(expression, 6)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _text(expression: Expression, depth: int) -> str:
    if isinstance(expression, Word):
        return expression.text
    if not depth:
        return "(...)"
    return f"({' '.join(_text(item, depth - 1) for item in expression.items[:20])})"
