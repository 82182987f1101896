"""Exponents of norms that a command line asks for."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lipcert.cli.values import items, quoted
from lipcert.errors import UsageError

OPTION = "--jacobian-norm"


def exponents(given: Iterable[str] | None) -> tuple[str, ...] | None:
    """P:Q pairs in one spelling, each once and in order; None where none is given."""
    return tuple(dict.fromkeys(_pair(entry) for entry in items(given, OPTION))) or None


def _pair(entry: str) -> str:
    first, _, second = entry.partition(":")
    return f"{_exponent(first, entry):.17g}:{_exponent(second, entry):.17g}"


def _exponent(text: str, entry: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value >= 1:
        hint = "write P:Q with numbers from 1 on, or inf: 3:1.5 or inf:2"
        raise UsageError(f"{OPTION} needs two exponents of norms, got {quoted(entry)}", hint=hint)
    return value
