"""The radii and norms a command line asks for."""

from __future__ import annotations

from collections.abc import Iterable

from lipcert.cli.values import choice, items, number
from lipcert.errors import UsageError

NORMS = ("linf", "l2", "l1")
"""Norms of the balls that are attacked and certified; l1 where it is asked for."""


def radii(eps: Iterable[str] | None, norms: Iterable[str] | None) -> dict[str, tuple[float, ...]] | None:
    """Norm -> radii; an empty tuple asks for that norm's defaults, None for all defaults.

    A radius may carry its norm (`l2:0.5`); without one it applies to each of `norms`, to linf where none is named.
    """
    chosen = tuple(_norm(name, "--norm") for name in items(norms, "--norm"))
    found: dict[str, list[float]] = {name: [] for name in chosen}
    for entry in items(eps, "--eps"):
        name, colon, text = entry.rpartition(":")
        named = [_norm(name, "--eps")] if colon else list(chosen) or ["linf"]
        for norm in named:
            if chosen and norm not in chosen:
                raise UsageError(f"--eps {entry} names {norm}, and --norm leaves it out", hint=f"add --norm {norm}")
            found.setdefault(norm, []).append(_radius(text))
    return {norm: tuple(sorted(set(values))) for norm, values in found.items()} or None


def _norm(name: str, option: str) -> str:
    return choice(name, option, NORMS) or ""


def _radius(text: str) -> float:
    value = number(text, "--eps")
    if value <= 0:
        raise UsageError(f"--eps must be above 0, got {text}", hint="the clean accuracy is always reported")
    return value
