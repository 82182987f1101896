"""Values of options: lists by commas or repetition, fractions, names with their near misses."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence

from lipcert.errors import UsageError

_SHOWN = 60


def items(values: Iterable[str] | None, option: str) -> tuple[str, ...]:
    """The entries of a list option, in order: commas and repetition mean the same. Empty where it was not given."""
    if values is None:
        return ()
    found = tuple(part.strip() for value in values for part in value.split(",") if part.strip())
    if not found:
        raise UsageError(f"{option} was given without a value", hint=f"give it a value, or leave {option} out")
    return found


def quoted(text: str) -> str:
    """What a user typed, cut short where it is long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}... ({len(text):,} characters)"


def number(text: str, option: str) -> float:
    """A finite number or a fraction of two, like 8/255."""
    above, slash, below = text.partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{option} needs a number or a fraction like 8/255, got {quoted(text)}") from None
    if not math.isfinite(value):
        raise UsageError(f"{option} needs a finite number, got {quoted(text)}")
    return value


def numbers(values: Iterable[str] | None, option: str) -> tuple[float, ...] | None:
    """A list of numbers; None where the option was not given."""
    return tuple(number(part, option) for part in items(values, option)) or None


def positive(text: str | None, option: str) -> float | None:
    """A number above 0."""
    if text is None:
        return None
    value = number(text, option)
    if value <= 0:
        raise UsageError(f"{option} must be above 0, got {text}")
    return value


def duration(text: str | None, option: str) -> float | None:
    """Seconds from 90, 90s, 5m or 2h."""
    return _scaled(text, option, {"s": 1.0, "m": 60.0, "h": 3600.0})


def size(text: str | None, option: str) -> int | None:
    """Bytes from 512M or 8G, in powers of 1024."""
    value = _scaled(text, option, {"k": 2.0**10, "m": 2.0**20, "g": 2.0**30, "t": 2.0**40})
    return None if value is None else max(1, int(value))


def _scaled(text: str | None, option: str, units: dict[str, float]) -> float | None:
    if text is None:
        return None
    unit = text[-1:].lower()
    factor = units.get(unit, 1.0)
    value = positive(text[:-1] if unit in units else text, option)
    return None if value is None else value * factor


def whole(text: str | None, option: str, *, least: int, most: int = 2**63 - 1) -> int | None:
    """A whole number from `least` to `most`."""
    if text is None:
        return None
    try:
        value = int(text.replace("_", ""))
    except ValueError:
        raise UsageError(f"{option} needs a whole number, got {quoted(text)}") from None
    if not least <= value <= most:
        limit = f"at least {least}" if value < least else f"at most {most:,}"
        raise UsageError(f"{option} must be {limit}, got {quoted(text)}")
    return value


def choice(text: str | None, option: str, known: Sequence[str]) -> str | None:
    """One of the known words, in any case; a near miss is named."""
    if text is None or text.lower() in known:
        return text and text.lower()
    raise UsageError(f"{option} does not know {quoted(text)}", hint=nearest(text.lower(), known))


def nearest(word: str, known: Sequence[str]) -> str:
    """A hint: the known words nearest to `word`, or all of them."""
    close = difflib.get_close_matches(word, known, n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"


def pair(text: str | None, option: str) -> tuple[float, float] | None:
    """Two numbers LO,HI with LO below HI."""
    if text is None:
        return None
    values = numbers([text], option) or ()
    if len(values) != 2 or values[0] >= values[1]:
        raise UsageError(f"{option} needs LO,HI with LO below HI, got {quoted(text)}", hint=f"for example {option} 0,1")
    return values[0], values[1]


def shape(text: str | None, option: str) -> tuple[int, ...] | None:
    """Axes of one sample: 3,224,224 or 3x224x224."""
    if text is None:
        return None
    axes = (whole(part, option, least=1) for part in items([text.replace("x", ",")], option))
    return tuple(axis for axis in axes if axis is not None)


def device(text: str | None) -> str:
    """auto, cpu, cuda or cuda:i; whether the device exists is seen later."""
    word = (text or "auto").lower()
    base, colon, index = word.partition(":")
    if word in {"auto", "cpu", "cuda"} or (base == "cuda" and colon and index.isdecimal()):
        return word
    raise UsageError(f"--device does not know {quoted(word)}", hint="known: auto, cpu, cuda, cuda:0, cuda:1, ...")


def probability(text: str | None, option: str) -> float | None:
    """A number strictly between 0 and 1."""
    value = positive(text, option)
    if value is not None and value >= 1:
        raise UsageError(f"{option} must lie between 0 and 1, got {text}", hint=f"for example {option} 0.95")
    return value


def analyses(only: Iterable[str] | None, skip: Iterable[str] | None) -> tuple[str, ...] | None:
    """The analyses to report, in their own order; None for all of them."""
    from lipcert.records import ANALYSES

    wanted = {choice(name, "--only", ANALYSES) for name in items(only, "--only")} or set(ANALYSES)
    left = wanted - {choice(name, "--skip", ANALYSES) for name in items(skip, "--skip")}
    if not left:
        raise UsageError("--only and --skip leave nothing to do", hint=f"analyses: {', '.join(ANALYSES)}")
    return tuple(name for name in ANALYSES if name in left) if left != set(ANALYSES) else None
