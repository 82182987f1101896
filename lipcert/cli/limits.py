"""What the command line says about time, memory, threads and isolation."""

from __future__ import annotations

from typing import Any

from lipcert.cli import values
from lipcert.supervise import Limits

_MOST_THREADS = 1024  # far more end the process at once
_OVERTIME = 30.0


def limits(given: dict[str, Any]) -> Limits:
    """The limits of the child that runs a model; options that a command does not have are not set."""
    return Limits(
        timeout=values.duration(given.get("timeout"), "--timeout"),
        max_memory=values.size(given.get("max_memory"), "--max-memory"),
        threads=values.whole(given.get("threads"), "--threads", least=1, most=_MOST_THREADS),
    )


def planned_memory(given: dict[str, Any]) -> int | None:
    """Bytes that bound propagation may plan with: half of what the process may take, the rest is the model's."""
    allowed = values.size(given.get("max_memory"), "--max-memory")
    return None if allowed is None else max(1, allowed // 2)


def overtime(seconds: float | None) -> float | None:
    """When to stop a child whose search stops by itself after `seconds`, should it not do so."""
    return None if seconds is None else 1.2 * seconds + _OVERTIME
