"""Outward rounding of float64 results.

A certificate is a chain of float64 operations, each correctly rounded to nearest (IEEE 754). One step of
`nextafter` after every operation makes each step of the chain an inequality that holds over the reals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

UNIT_ROUNDOFF = 2.0**-53


def up(value: float) -> float:
    """The next float64 above `value`: an upper bound on the exact result of one rounded operation."""
    return math.nextafter(value, math.inf)


def down(value: float) -> float:
    """The next float64 below `value`: a lower bound on the exact result of one rounded operation."""
    return math.nextafter(value, -math.inf)


def product_up(factors: Iterable[float]) -> float:
    """An upper bound on the product of non-negative factors, each itself an upper bound."""
    result = 1.0
    for factor in factors:
        result = 0.0 if 0.0 in (result, factor) else up(result * factor)
    return result


def sum_up(terms: Iterable[float]) -> float:
    """An upper bound on the sum of non-negative terms, each itself an upper bound."""
    result = 0.0
    for term in terms:
        result = up(result + term) if term else result
    return result


def sqrt_up(value: float) -> float:
    """An upper bound on the square root of a non-negative number."""
    return up(math.sqrt(value)) if value else 0.0


def gamma(operations: int, unit: float = UNIT_ROUNDOFF) -> float:
    """gamma_n = n u / (1 - n u), rounded up: relative error of n chained operations (Higham 2002, Lemma 3.1)."""
    if operations * unit >= 0.5:
        raise ValueError(f"{operations} operations at unit roundoff {unit} leave no correct digit")
    return up(up(operations * unit) / down(1.0 - up(operations * unit)))
