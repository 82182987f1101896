"""Names of metrics: a dotted path through the records, and selectors that pick among records of one kind."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import final

_WHOLE = re.compile(r"(?P<path>[^\[\]]+?)\s*(?:\[(?P<selectors>.*)\])?\s*", re.DOTALL)
_SELECTOR = re.compile(r'\s*(?P<key>[\w.-]+)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^,"\[\]]*?)\s*(?:,|$)')
_PLAIN = re.compile(r"[^\s\[\],=\"\\]+")


@final
@dataclass(frozen=True, slots=True)
class MetricId:
    """`path` through the records and `selectors` in their order: `lipschitz.value[norm=l2,scope=global]`."""

    path: str
    selectors: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if not self.selectors:
            return self.path
        return f"{self.path}[{','.join(f'{key}={_spelled(value)}' for key, value in self.selectors)}]"

    def with_selectors(self, more: Mapping[str, str]) -> MetricId:
        """The same metric, with selectors added or replaced."""
        merged = dict(self.selectors) | dict(more)
        return MetricId(self.path, tuple(merged.items()))

    def selects(self, other: MetricId) -> bool:
        """Whether the record named `other` is among those meant: each of my selectors must be met."""
        theirs = dict(other.selectors)
        return all(key in theirs and same_value(value, theirs[key]) for key, value in self.selectors)


def _spelled(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def metric_id(path: str, selectors: Iterable[tuple[str, object]] | Mapping[str, object] = ()) -> str:
    """The id of a metric as text. Numbers among the selectors come out as fractions of 255 where they are that."""
    pairs = selectors.items() if isinstance(selectors, Mapping) else selectors
    return str(MetricId(path, tuple((key, selector_text(value)) for key, value in pairs)))


def parse(text: str) -> MetricId:
    """Read an id back. Dashes in the path count as underscores. Raises ValueError with what is wrong."""
    whole = _WHOLE.fullmatch(text.strip())
    if whole is None:
        raise ValueError(f"{text!r} is no metric id: expected path[key=value,...]")
    path = whole["path"].strip().replace("-", "_")
    selectors, rest = [], whole["selectors"] or ""
    while rest.strip():
        found = _SELECTOR.match(rest)
        if found is None or found.end() == 0:
            raise ValueError(f"selectors are key=value, got {rest.strip()!r} in {text!r}")
        value = found["value"]
        selectors.append((found["key"], json.loads(value) if value.startswith('"') else value))
        rest = rest[found.end() :]
    return MetricId(path, tuple(selectors))


def selector_text(value: object) -> str:
    """A selector's value as text: radii as 2/255 where they are that, other numbers as short as they are exact."""
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def number_text(value: float) -> str:
    """The shortest of a decimal of three digits, a fraction of 255, and the number itself."""
    short = f"{value:.3g}"
    if float(short) == value:
        return short
    steps = round(value * 255)
    if 0 < steps < 255 and math.isclose(steps / 255, value, rel_tol=1e-12):
        return f"{steps}/255"
    return repr(value)


def same_value(asked: str, there: str) -> bool:
    """Whether a selector means a value: the same number however it is written, the same word, or a glob pattern."""
    first, second = as_number(asked), as_number(there)
    if first is not None and second is not None:
        return math.isclose(first, second, rel_tol=1e-9)
    return asked == there or fnmatchcase(there, asked)


def as_number(text: str) -> float | None:
    """A decimal or a fraction of two of them; None where it is neither."""
    above, slash, below = text.partition("/")
    try:
        return float(Fraction(above.strip()) / Fraction(below.strip())) if slash else float(above)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
