"""Values of options: lists by commas or repetition, fractions, names with their near misses."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence

from lipcert.errors import UsageError

NORMS = ("linf", "l2")
"""Norms of the balls that are attacked and certified; layer norms and Lipschitz constants come in l1 too."""


def items(values: Iterable[str] | None) -> tuple[str, ...]:
    """The entries of a list option, in order: commas and repetition mean the same."""
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())


def number(text: str, option: str) -> float:
    """A finite number or a fraction of two, like 8/255."""
    above, slash, below = text.partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{option} needs a number or a fraction like 8/255, got {text!r}") from None
    if not math.isfinite(value):
        raise UsageError(f"{option} needs a finite number, got {text!r}")
    return value


def numbers(values: Iterable[str] | None, option: str) -> tuple[float, ...] | None:
    """A list of numbers; None where the option was not given."""
    return tuple(number(part, option) for part in items(values)) or None if values else None


def positive(text: str | None, option: str) -> float | None:
    """A number above 0."""
    if text is None:
        return None
    value = number(text, option)
    if value <= 0:
        raise UsageError(f"{option} must be above 0, got {text}")
    return value


def whole(text: str | None, option: str, *, least: int) -> int | None:
    """A whole number of at least `least`."""
    if text is None:
        return None
    try:
        value = int(text.replace("_", ""))
    except ValueError:
        raise UsageError(f"{option} needs a whole number, got {text!r}") from None
    if value < least:
        raise UsageError(f"{option} must be at least {least}, got {value}")
    return value


def choice(text: str | None, option: str, known: Sequence[str]) -> str | None:
    """One of the known words, in any case; a near miss is named."""
    if text is None or text.lower() in known:
        return text and text.lower()
    raise UsageError(f"{option} does not know {text!r}", hint=nearest(text.lower(), known))


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
        raise UsageError(f"{option} needs LO,HI with LO below HI, got {text!r}", hint=f"for example {option} 0,1")
    return values[0], values[1]


def shape(text: str | None, option: str) -> tuple[int, ...] | None:
    """Axes of one sample: 3,224,224 or 3x224x224."""
    if text is None:
        return None
    axes = [whole(part, option, least=1) for part in items([text.replace("x", ",")])]
    if not axes:
        raise UsageError(f"{option} needs the axes of one sample, got {text!r}", hint=f"for example {option} 3,224,224")
    return tuple(axis for axis in axes if axis is not None)


def radii(
    eps: Iterable[str] | None, norms: Iterable[str] | None, limits: tuple[float, float] | None
) -> dict[str, tuple[float, ...]] | None:
    """Norm -> radii; an empty tuple asks for that norm's defaults, None for all defaults.

    A radius may carry its norm (`l2:0.5`); without one it applies to each of `norms`, to linf where none is named.
    """
    chosen = tuple(_norm(name, "--norm") for name in items(norms))
    found: dict[str, list[float]] = {name: [] for name in chosen}
    for entry in items(eps):
        name, colon, text = entry.rpartition(":")
        named = [_norm(name, "--eps")] if colon else list(chosen) or ["linf"]
        for norm in named:
            if chosen and norm not in chosen:
                raise UsageError(f"--eps {entry} names {norm}, and --norm leaves it out", hint=f"add --norm {norm}")
            found.setdefault(norm, []).append(_radius(text, norm, limits))
    return {norm: tuple(sorted(set(values))) for norm, values in found.items()} or None


def _norm(name: str, option: str) -> str:
    if name.lower() == "l1":
        raise UsageError(
            f"{option} l1: l1 balls are neither attacked nor certified",
            hint="use linf or l2; layer norms and Lipschitz constants in l1 are always reported",
        )
    return choice(name, option, NORMS) or ""


def _radius(text: str, norm: str, limits: tuple[float, float] | None) -> float:
    value = number(text, "--eps")
    if value <= 0:
        raise UsageError(f"--eps must be above 0, got {text}", hint="the clean accuracy is always reported")
    if limits is not None and norm == "linf" and value > limits[1] - limits[0]:
        raise UsageError(
            f"--eps {text} is wider than the input range [{limits[0]:g}, {limits[1]:g}]",
            hint="eps is in data units: 8/255 for images in [0, 1]",
        )
    return value


def device(text: str | None) -> str:
    """auto, cpu, cuda or cuda:i; whether the device exists is seen later."""
    word = (text or "auto").lower()
    base, colon, index = word.partition(":")
    if word in {"auto", "cpu", "cuda"} or (base == "cuda" and colon and index.isdecimal()):
        return word
    raise UsageError(f"--device does not know {text!r}", hint="known: auto, cpu, cuda, cuda:0, cuda:1, ...")


def probability(text: str | None, option: str) -> float | None:
    """A number strictly between 0 and 1."""
    value = positive(text, option)
    if value is not None and value >= 1:
        raise UsageError(f"{option} must lie between 0 and 1, got {text}", hint=f"for example {option} 0.95")
    return value


def analyses(only: Iterable[str] | None, skip: Iterable[str] | None) -> tuple[str, ...] | None:
    """The analyses to report, in their own order; None for all of them."""
    from lipcert.records import ANALYSES

    wanted = {choice(name, "--only", ANALYSES) for name in items(only)} or set(ANALYSES)
    left = wanted - {choice(name, "--skip", ANALYSES) for name in items(skip)}
    if not left:
        raise UsageError("--only and --skip leave nothing to do", hint=f"analyses: {', '.join(ANALYSES)}")
    return tuple(name for name in ANALYSES if name in left) if left != set(ANALYSES) else None
