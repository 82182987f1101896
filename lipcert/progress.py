"""How a long computation tells whoever watches how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """An observer of one run; it is called often and must return quickly."""

    def __call__(self, analysis: str, done: int, total: int) -> None:
        """`done` of `total` units of `analysis` are finished; 0 starts it, `done == total` ends it."""


def silent(analysis: str, done: int, total: int) -> None:
    """Watch nothing."""
