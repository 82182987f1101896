"""A property as boxes of inputs, each with alternatives of linear constraints on the outputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from lipcert.errors import DataError
from lipcert.load.vnnlib.declarations import Declarations
from lipcert.load.vnnlib.expression import Expression, Tree, shown
from lipcert.load.vnnlib.linear import COMPARISONS, Atom, atoms

_MOST_CASES = 200_000


@final
@dataclass(frozen=True, slots=True)
class Constraint:
    """sum of coefficient * output <= bound, or < where `strict`, in exact numbers."""

    coefficients: tuple[tuple[int, Fraction], ...]
    bound: Fraction
    strict: bool = False

    def holds(self, outputs: Sequence[Fraction]) -> bool:
        """Whether these outputs satisfy it."""
        value = sum((c * outputs[i] for i, c in self.coefficients), Fraction(0))
        return value < self.bound if self.strict else value <= self.bound


@final
@dataclass(frozen=True, slots=True)
class Case:
    """Inputs with lower <= X <= upper whose outputs meet every constraint of one of the `alternatives`."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    alternatives: tuple[tuple[Constraint, ...], ...]

    def violated_by(self, outputs: Sequence[Fraction]) -> bool:
        """Whether these outputs are what the property looks for."""
        return any(all(c.holds(outputs) for c in alternative) for alternative in self.alternatives)


@final
@dataclass(frozen=True, slots=True)
class Property:
    """What is looked for: "sat" is an input of one of the cases with an output of one of its alternatives.

    inputs, outputs  how many numbers the network reads and gives
    """

    inputs: int
    outputs: int
    cases: tuple[Case, ...]


Conjunction = list[Atom]
Box = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]


def normal_form(assertions: Iterable[Expression], declared: Declarations) -> tuple[Conjunction, list[Conjunction]]:
    """The conjunction of all assertions as comparisons that always count, and a choice of further conjunctions."""
    parts = [_disjuncts(assertion, declared) for assertion in assertions]
    shared = [atom for part in parts if len(part) == 1 for atom in part[0]]
    return shared, _product([part for part in parts if len(part) != 1])


def _disjuncts(formula: Expression, declared: Declarations) -> list[Conjunction]:
    if isinstance(formula, Tree) and formula.head in COMPARISONS:
        return [list(atoms(formula, declared))]
    if isinstance(formula, Tree) and formula.head in ("and", "or") and len(formula.items) > 1:
        parts = [_disjuncts(item, declared) for item in formula.items[1:]]
        return _product(parts) if formula.head == "and" else [found for part in parts for found in part]
    raise DataError(
        f"line {formula.line}: a comparison, (and ...) or (or ...) was expected, got {shown(formula)}",
        hint="Formulas are made of <= >= < > = and or.",
    )


def _product(parts: Sequence[list[Conjunction]]) -> list[Conjunction]:
    """Every choice of one conjunction from each part."""
    found: list[Conjunction] = [[]]
    for part in parts:
        if len(found) * len(part) > _MOST_CASES:
            raise DataError(f"the property has more than {_MOST_CASES:,} cases once its ands and ors are spread out")
        found = [base + choice for base in found for choice in part]
    return found


def assemble(shared: Conjunction, choices: Sequence[Conjunction], declared: Declarations) -> Property:
    """Boxes and output constraints apart. A conjunction that no input can meet is dropped.

    Raises DataError where an input is left unbounded or a comparison is more than a bound of one input.
    """
    inputs, outputs = declared.count("X"), declared.count("Y")
    base = _Sides({}, {}, {})
    boxes: dict[Box | None, dict[tuple[Constraint, ...], None]] = {}  # None: the box of what is shared, never hashed
    for choice in choices if base.take(shared) else ():
        narrows = any(side == "X" for atom in choice for side, _ in atom.term.coefficients)
        sides = base.copy(bounds=narrows)
        if sides.take(choice):
            box = sides.box(inputs) if narrows else None
            if box is not None or not narrows:
                boxes.setdefault(box, {})[tuple(sides.constraints)] = None
    common = base.box(inputs) if None in boxes else None
    found = [(box or common, tuple(alternatives)) for box, alternatives in boxes.items()]
    return Property(inputs, outputs, tuple(Case(*box, alternatives=a) for box, a in found if box is not None))


@final
@dataclass(frozen=True, slots=True)
class _Sides:
    """What comparisons say of the inputs, one by one, and of the outputs."""

    lower: dict[int, Fraction]
    upper: dict[int, Fraction]
    constraints: dict[Constraint, None]

    def copy(self, *, bounds: bool) -> _Sides:
        """The same, to be added to; the inputs' bounds stay shared where nothing will be added to them."""
        lower, upper = (dict(self.lower), dict(self.upper)) if bounds else (self.lower, self.upper)
        return _Sides(lower, upper, dict(self.constraints))

    def take(self, conjunction: Conjunction) -> bool:
        """Add comparisons; False where one of them is between constants and does not hold."""
        for atom in conjunction:
            sides = {side for side, _ in atom.term.coefficients}
            if sides == {"Y"}:
                self.constraints[_constraint(atom)] = None
            elif sides == {"X"}:
                self._tighten(atom)
            elif sides:
                raise DataError(f"line {atom.line}: a comparison of inputs with outputs; box inputs are read")
            elif atom.term.constant > 0 or (atom.strict and not atom.term.constant):
                return False
        return True

    def _tighten(self, atom: Atom) -> None:
        if len(atom.term.coefficients) > 1:
            raise DataError(
                f"line {atom.line}: a comparison of several inputs",
                hint="Inputs are bounded one by one: boxes are read.",
            )
        if atom.strict:
            raise DataError(f"line {atom.line}: a strict bound of an input", hint="Write <= or >=.")
        (((_, index), slope),) = atom.term.coefficients.items()
        limit = -atom.term.constant / slope
        if slope > 0:
            self.upper[index] = min(limit, self.upper.get(index, limit))
        else:
            self.lower[index] = max(limit, self.lower.get(index, limit))

    def box(self, inputs: int) -> Box | None:
        """Both ends of every input; None where they cross. Raises DataError where one is missing."""
        for bounds, word in ((self.lower, "lower"), (self.upper, "upper")):
            missing = next((i for i in range(inputs) if i not in bounds), None)
            if missing is not None:
                raise DataError(f"input X_{missing} has no {word} bound", hint="Every input needs both, in each case.")
        if any(self.lower[i] > self.upper[i] for i in range(inputs)):
            return None
        return tuple(self.lower[i] for i in range(inputs)), tuple(self.upper[i] for i in range(inputs))


def _constraint(atom: Atom) -> Constraint:
    coefficients = tuple(sorted((index, value) for (_, index), value in atom.term.coefficients.items()))
    return Constraint(coefficients, -atom.term.constant, atom.strict)
