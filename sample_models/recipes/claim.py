"""A claim: one measured number above another, at each seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

Evidence = Mapping[str, Mapping[str, Any]]
Quantity = Callable[[Mapping[str, Any]], float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """`left` of one net is above `right` of another, at the same seed.

    paper     whose claim it is: W Wu & Li, R Roth et al., F Farnia et al., G Guo et al., C ours
    nets      recipe of the left number, and of the right one
    expected  False where the smaller study it was taken from found the opposite: it is told, and never promised
    """

    id: str
    paper: str
    says: str
    nets: tuple[str, str]
    left: Quantity
    right: Quantity
    expected: bool = True


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A claim and its two numbers at each seed that has both."""

    claim: Claim
    numbers: tuple[tuple[float, float], ...]

    @property
    def held(self) -> int:
        """At how many seeds."""
        return sum(left > right for left, right in self.numbers)

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if not self.numbers:
            return "not measured"
        if self.held == len(self.numbers):
            return "reappears" if len(self.numbers) > 1 else "reappears (one seed)"
        return "does not reappear" if not self.held else "mixed"


def of(name: str, *, rank: int | None = None, plus: float = 0.0) -> Quantity:
    """A number by its name; `rank` picks one of several, `plus` is added."""
    return lambda found: (found[name] if rank is None else found[name][rank]) + plus


def less(first: str, second: str) -> Quantity:
    """The difference of two numbers."""
    return lambda found: float(found[first]) - float(found[second])


def constant(value: float) -> Quantity:
    """The same for every net."""
    return lambda _found: value


def median(name: str) -> Quantity:
    """The middle of a distribution."""
    return lambda found: float(found[name]["median"])


def claim(
    id_: str,
    says: str,
    nets: tuple[str, str],
    left: Quantity,
    right: Quantity | None = None,
    *,
    expected: bool = True,
) -> Claim:
    """A claim of the paper its name begins with; without `right` both numbers are of one kind."""
    return Claim(id=id_, paper=id_[0], says=says, nets=nets, left=left, right=right or left, expected=expected)


def same(name: str) -> tuple[str, str]:
    """Both numbers of one net."""
    return name, name
