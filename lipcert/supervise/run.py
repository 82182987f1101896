"""One call in a child, waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lipcert.progress import Progress, silent
from lipcert.supervise.call import Call, Outcome
from lipcert.supervise.child import Child
from lipcert.supervise.limits import Limits


def _forget(_: str) -> None:
    """Keep nothing."""


def run(
    call: Call, limits: Limits | None = None, *, progress: Progress = silent, keep: Callable[[str], Any] = _forget
) -> str:
    """The JSON text of the record that the call returns.

    keep  given the record so far, where the call is stopped by its time limit or by an exception in this process

    Raises what the call raises, KeyboardInterrupt aside, and:
        TimeLimitError, MemoryLimitError: it went past its limits.
        CrashedModelError, KilledModelError: its process died.
    """
    child = Child(call, limits or Limits(), progress)
    try:
        outcome = _outcome(child)
    except BaseException:
        _last_words(child, keep)
        raise
    if outcome.partial is not None:
        keep(outcome.partial)
    if outcome.error is not None:
        raise outcome.error
    return outcome.text or ""


def _outcome(child: Child) -> Outcome:
    while True:
        outcome = child.step()
        if outcome is not None:
            return outcome


def _last_words(child: Child, keep: Callable[[str], Any]) -> None:
    """Stop the child, and keep what it had."""
    try:
        child.stop()
        outcome = _outcome(child)
    finally:
        child.kill()
    if (found := outcome.partial or outcome.text) is not None:
        keep(found)
