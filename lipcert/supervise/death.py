"""A name for how a child died."""

from __future__ import annotations

import signal

from lipcert.errors import CrashedModelError, KilledModelError, LipcertError

_WORDS = {
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "it gave itself up",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "arithmetic fault",
    signal.SIGILL: "illegal instruction",
}
_LEAVE = "the file makes its runtime crash: export it again, or leave it out"


def cause(exit_code: int | None, last_words: str) -> BaseException:
    """The error that stands for a child that ended by itself before it had a result.

    exit_code   of the process, negative for a signal, as multiprocessing gives it
    last_words  the end of what it wrote to stdout and stderr
    """
    if "bad_alloc" in last_words:
        return MemoryError(last_words)
    if exit_code == -signal.SIGKILL:
        return KilledModelError(
            "the analysis was killed (SIGKILL) from outside, most likely by the system for want of memory",
            hint="use a smaller --batch-size or fewer --samples, or set --max-memory",
        )
    return _crash(exit_code, last_words)


def _crash(exit_code: int | None, last_words: str) -> LipcertError:
    said = f"; its last words: {last_words}" if last_words else ""
    if exit_code is not None and exit_code < 0:
        return CrashedModelError(f"the analysis crashed: {_signal(-exit_code)}{said}", hint=_LEAVE)
    return CrashedModelError(
        f"the analysis ended with exit status {exit_code} and without a result{said}",
        hint="the file ends the process it runs in: treat it as hostile",
    )


def _signal(number: int) -> str:
    try:
        name = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return f"{_WORDS[name]} ({name.name})" if name in _WORDS else name.name
