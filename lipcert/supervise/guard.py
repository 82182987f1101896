"""No child survives its parent.

PR_SET_PDEATHSIG is of no use under a fork server, where the child's parent in the system's eyes is the server. What
remains is the pipe whose other end the real parent holds: the kernel closes it however that parent dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any


def die_with_parent() -> None:
    """Have the kernel kill this process when the pipe from its parent closes.

    That needs no thread of ours, so that it also ends code that never gives up the interpreter's lock. Where the
    kernel has no such service (macOS), the thread of `watch` remains.
    """
    pipe = _parent_pipe()
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


def watch(on_signal: Callable[[], None]) -> None:
    """Start a thread that ends this process with its parent, and calls `on_signal` once a signal has come in.

    Python runs a signal's handler between two instructions of the main thread, which may be long in foreign code;
    the wake-up pipe is written to at once.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    pipe = _parent_pipe()

    def look() -> None:
        ready: list[Any] = wait([pipe, reader])
        if pipe in ready:
            os.kill(os.getpid(), signal.SIGKILL)
        on_signal()

    threading.Thread(target=look, name="guard", daemon=True).start()


def _parent_pipe() -> int:
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("this process has no parent to watch")
    return int(parent.sentinel)
