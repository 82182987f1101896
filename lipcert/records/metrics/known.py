"""Which metrics there can be, read off the types of the records, so that a misspelt id is refused before any work."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from lipcert.records.certificate import PopulationRisk
from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Enclosure
from lipcert.records.metrics.aliases import ALIASES
from lipcert.records.metrics.derived import DERIVED
from lipcert.records.metrics.identity import MetricId, parse
from lipcert.records.metrics.walk import KEYS, OMITTED, QUANTILES
from lipcert.records.report import ModelRecord
from lipcert.records.skipped import Skipped

ENDS = ("lower", "upper")
_SHORTER = {"jacobian.functionals.": "jacobian.functionals.statistics.", "jacobian.": "jacobian.statistics."}
_LEAVES = (int, float, bool)


@cache
def patterns() -> frozenset[str]:
    """Paths of all metrics; `*` stands for a name that only a report tells, as of a statistic."""
    return frozenset([*_paths(ModelRecord, ""), *DERIVED])


def _paths(kind: Any, path: str) -> Iterator[str]:
    """Paths of the metrics below a type."""
    for member in _members(kind):
        if member in _LEAVES or member in {Enclosure, PopulationRisk}:
            yield path
        elif member is Distribution:
            yield from (f"{path}.{name}" for name in QUANTILES)
        elif typing.get_origin(member) is dict:
            yield from _paths(typing.get_args(member)[1], f"{path}.*")
        elif typing.get_origin(member) is tuple:
            yield from _paths(typing.get_args(member)[0], path)
        elif is_dataclass(member) and member is not Skipped:
            hints = typing.get_type_hints(member)
            for field in fields(member):
                if field.name not in OMITTED and field.name not in KEYS:
                    yield from _paths(hints[field.name], f"{path}.{field.name}" if path else field.name)


def _members(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        return typing.get_args(kind)
    return (kind,)


def resolve(text: str) -> MetricId:
    """The full id of an id or alias as a person writes it.

    Raises ValueError where nothing can be called that; the message ends in what was probably meant.
    """
    asked = parse(text)
    path, end = _split_end(asked.path)
    if asked.path in ALIASES:
        path, end = asked.path, ""
    target = parse(ALIASES[path]) if path in ALIASES else MetricId(_full(path))
    found = target.with_selectors(dict(asked.selectors))
    whole = MetricId(found.path + end, found.selectors)
    if not is_known(whole.path):
        raise ValueError(f"no metric is called {text!r}; {near(asked.path)}")
    return whole


def _full(path: str) -> str:
    """`jacobian.spectral_norm.median` is short for the statistic of that name."""
    if is_known(path):
        return path
    longer = (path.replace(short, full, 1) for short, full in _SHORTER.items() if path.startswith(short))
    return next((name for name in longer if is_known(name)), path)


def _split_end(path: str) -> tuple[str, str]:
    stem, _, last = path.rpartition(".")
    return (stem, f".{last}") if stem and last in ENDS and not is_known(path, ends=False) else (path, "")


def is_known(path: str, *, ends: bool = True) -> bool:
    """Whether a report can hold a metric at this path."""
    if ends and path.rpartition(".")[2] in ENDS and is_known(path.rpartition(".")[0], ends=False):
        return True
    return path in patterns() or any(_fits(path, pattern) for pattern in patterns() if "*" in pattern)


def _fits(path: str, pattern: str) -> bool:
    parts, wanted = path.split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(b in {"*", a} for a, b in zip(parts, wanted, strict=True))


def near(path: str) -> str:
    """What a misspelt path probably means, in words."""
    depth = path.count(".") + 1
    inside = sorted(name for name in patterns() if name.count(".") >= depth and _fits(path, _first(name, depth)))
    if inside:
        shown = [".".join([path, *name.split(".")[depth:]]) for name in inside[:8]]
        return f"it holds several numbers: {', '.join(shown)}"
    names = sorted({*ALIASES, *patterns()})
    close = difflib.get_close_matches(path, names, n=3, cutoff=0.6)
    close += [name for name in ALIASES if path and path in name and name not in close][: 3 - len(close)]
    return f"did you mean {' or '.join(close)}?" if close else "lipcert explain lists what there is"


def _first(path: str, count: int) -> str:
    return ".".join(path.split(".")[:count])
