"""Exact binomial intervals without scipy, which the light commands must not import."""

from __future__ import annotations

import math
from functools import cache

_STEPS = 60
_TERMS = 300
_TINY = 1e-300


@cache
def clopper_pearson(hits: int, samples: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided Clopper-Pearson interval of a share, to about 1e-12.

    Source: Clopper and Pearson, Biometrika 26 (1934); quantiles by bisection of the incomplete beta function.
    """
    tail = (1 - confidence) / 2
    lower = 0.0 if hits == 0 else _quantile(tail, hits, samples - hits + 1)
    upper = 1.0 if hits == samples else _quantile(1 - tail, hits + 1, samples - hits)
    return lower, upper


def _quantile(probability: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if incomplete_beta(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) for a, b >= 1, by its continued fraction.

    Source: Abramowitz and Stegun 26.5.8, evaluated from the front (Lentz 1976).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(scale) * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    above, below = 1.0, 1 / _safe(1 - (a + b) * x / (a + 1))
    value = below
    for m in range(1, _TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            below = 1 / _safe(1 + term * below)
            above = _safe(1 + term / above)
            value *= above * below
        if abs(above * below - 1) < 1e-15:
            break
    return value


def _safe(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
