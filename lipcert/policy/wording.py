"""Numbers in the messages of checks, rounded so that they never say more than is known."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from lipcert.records.metrics import Reading

_DIGITS = 4


def value_text(reading: Reading, limit: float = math.inf) -> str:
    """What is known of a number, in words: "0.9667", "between 46.02 and 49.84", "at least 0.8".

    limit  with as many digits as it takes to tell the number from it
    """
    low, high = reading.lower, reading.upper
    if low is not None and low == high:
        return _rounded(low, ROUND_HALF_EVEN, limit)
    if low is not None and high is not None:
        return f"between {_rounded(low, ROUND_FLOOR, limit)} and {_rounded(high, ROUND_CEILING, limit)}"
    if low is not None:
        return f"at least {_rounded(low, ROUND_FLOOR, limit)}"
    return "unknown" if high is None else f"at most {_rounded(high, ROUND_CEILING, limit)}"


def number(value: float) -> str:
    """A number of a configuration or a baseline, to six digits."""
    return f"{value:.6g}"


def _rounded(value: float, rounding: str, limit: float) -> str:
    for digits in range(_DIGITS, 18):
        shown = float(Context(prec=digits, rounding=rounding).plus(Decimal(value)))
        if (shown < limit, shown > limit) == (value < limit, value > limit):
            return f"{shown:.{digits}g}"
    return repr(value)
