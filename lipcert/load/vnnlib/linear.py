"""Arithmetic of a property: terms that are linear in the variables, and comparisons of two of them, exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from lipcert.errors import DataError
from lipcert.load.vnnlib.declarations import Declarations, Variable
from lipcert.load.vnnlib.expression import Expression, Tree, Word, shown

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
_LONGEST = 400
_LARGEST = 1e100
COMPARISONS = frozenset({"<=", ">=", "<", ">", "=", "=="})


@final
@dataclass(frozen=True, slots=True)
class Linear:
    """sum of coefficient * variable, plus a constant; no coefficient is zero."""

    coefficients: dict[Variable, Fraction]
    constant: Fraction

    def plus(self, other: Linear, factor: Fraction) -> Linear:
        """Add factor * other."""
        found = dict(self.coefficients)
        for variable, value in other.coefficients.items():
            total = found.pop(variable, Fraction(0)) + factor * value
            if total:
                found[variable] = total
        return Linear(found, self.constant + factor * other.constant)

    def times(self, factor: Fraction) -> Linear:
        """Multiply by a number."""
        return Linear({}, Fraction(0)).plus(self, factor)


@final
@dataclass(frozen=True, slots=True)
class Atom:
    """term <= 0, or term < 0 where `strict`."""

    term: Linear
    strict: bool
    line: int


def atoms(tree: Tree, declared: Declarations) -> tuple[Atom, ...]:
    """The comparisons, all of which must hold, that one comparison of two terms stands for."""
    terms = _terms(tree.items[1:], declared)
    if len(terms) != 2:
        raise DataError(f"line {tree.line}: {tree.head} compares two terms, got {len(terms)} in {shown(tree)}")
    left, right = terms
    below, above = left.plus(right, Fraction(-1)), right.plus(left, Fraction(-1))
    strict = tree.head in ("<", ">")
    if tree.head in ("=", "=="):
        return Atom(below, False, tree.line), Atom(above, False, tree.line)
    return (Atom(below if tree.head.startswith("<") else above, strict, tree.line),)


def _terms(items: Sequence[Expression], declared: Declarations) -> list[Linear]:
    found, position = [], 0
    while position < len(items):
        item = items[position]
        if isinstance(item, Tree):
            found.append(_operation(item, declared))
            position += 1
            continue
        words = [other for other in items[position : position + 2] if isinstance(other, Word)]
        term, used = _word(words, declared)
        found.append(term)
        position += used
    return found


def _word(words: Sequence[Word], declared: Declarations) -> tuple[Linear, int]:
    variable = declared.find(words)
    if variable is not None:
        return Linear({variable[0]: Fraction(1)}, Fraction(0)), variable[1]
    text = words[0].text
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        raise DataError(
            f"line {words[0].line}: a number or a declared variable was expected, got {shown(words[0])}",
            hint="Inputs are X_0, X_1, ... and outputs Y_0, Y_1, ..., each with a (declare-const X_0 Real).",
        )
    number = Fraction(text)
    if abs(number) > _LARGEST:
        raise DataError(f"line {words[0].line}: {text} is larger than {_LARGEST:.0e}")
    return Linear({}, number), 1


def _operation(tree: Tree, declared: Declarations) -> Linear:
    """+ and - of any terms; * with at most one term that is no constant; / by a constant."""
    terms = _terms(tree.items[1:], declared)
    if tree.head not in ("+", "-", "*", "/") or not terms:
        raise DataError(
            f"line {tree.line}: a linear term was expected, got {shown(tree)}",
            hint="Terms are made of + - * and numbers.",
        )
    total = terms[0]
    if tree.head == "-" and len(terms) == 1:
        return total.times(Fraction(-1))
    for term in terms[1:]:
        total = _combine(tree, total, term)
    return total


def _combine(tree: Tree, left: Linear, right: Linear) -> Linear:
    if tree.head in ("+", "-"):
        return left.plus(right, Fraction(1 if tree.head == "+" else -1))
    if tree.head == "*" and not left.coefficients:
        return right.times(left.constant)
    if right.coefficients or (tree.head == "/" and not right.constant):
        raise DataError(
            f"line {tree.line}: {shown(tree)} is not linear", hint="Products and quotients of variables are not read."
        )
    return left.times(right.constant if tree.head == "*" else 1 / right.constant)
