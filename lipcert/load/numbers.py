"""Numbers as people write them in options and TOML: 0.1307, "1/255", "0.485,0.456,0.406"."""

from __future__ import annotations

import math
from fractions import Fraction

from lipcert.errors import ConfigurationError


def parse_number(value: object, name: str, source: str) -> float:
    """One finite number, given as such or as text; fractions are accepted. Raises ConfigurationError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _refusal(value, name, source)
    try:
        number = float(Fraction("".join(value.split()))) if isinstance(value, str) else float(value)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise _refusal(value, name, source) from error
    if not math.isfinite(number):
        raise _refusal(value, name, source)
    return number


def parse_numbers(value: object, name: str, source: str) -> tuple[float, ...]:
    """One number or several, as a list or as text with commas. Raises ConfigurationError."""
    items: list[object] = value.split(",") if isinstance(value, str) else [value]  # type: ignore[assignment]
    if isinstance(value, list | tuple):
        items = list(value)
    if not items:
        raise _refusal(value, name, source)
    return tuple(parse_number(item, name, source) for item in items)


def _refusal(value: object, name: str, source: str) -> ConfigurationError:
    return ConfigurationError(
        f"expected finite numbers for {name} in {source}, got {value!r}",
        hint='write 0.5, "1/255", or one number a channel',
    )
