"""What a child may be made to do; each is called by name."""

import ctypes
import os
import signal
import sys
import time

from lipcert.errors import RefusedModelError, UnsupportedOperatorError
from lipcert.records import Skipped


def fine(word, *, progress=None, keep=None):
    if progress is not None:
        for done in range(3):
            progress("layers", done, 2)
    return Skipped(reason=word)


def garbage():
    for _ in range(1000):
        os.write(1, b"\x1b[2J{}\n" * 100)
        os.write(2, b"\xff\n")
    return Skipped(reason="quiet")


def segfault():
    ctypes.string_at(0)


def leave():
    os._exit(0)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def hog():
    block = bytearray(3 << 30)
    block[:: 1 << 12] = b"x" * len(block[:: 1 << 12])
    time.sleep(60)


def terabyte():
    return bytearray(1 << 40)


def endless(*, keep):
    keep(Skipped(reason="so far"))
    while True:
        pass


def stuck(*, keep):
    """Foreign code that never gives up the interpreter's lock."""
    keep(Skipped(reason="lost"))
    ctypes.PyDLL(None).sleep(60)


def foreign(*, keep):
    """Foreign code that never comes back, but lets other threads run."""
    keep(Skipped(reason="so far"))
    ctypes.CDLL(None).pause()


def swallowing(*, keep):
    """A runtime that turns whatever stops it into an error of its own."""
    keep(Skipped(reason="so far"))
    try:
        endless(keep=keep)
    except BaseException:  # noqa: BLE001
        raise RuntimeError("no idea") from None


def refused():
    raise RefusedModelError("a pickle", hint="export it")


def unsupported():
    raise UnsupportedOperatorError("two operators", operators=("b", "a"))


def broken():
    raise ZeroDivisionError("oh")


def liar():
    """Writes to every pipe it can find."""
    for handle in range(3, 30):
        try:
            os.write(handle, b'{"result": 5}\nnot json\n{"progress": [1]}\n[]\n{"progress": "x"}\n')
        except OSError:
            continue
    return Skipped(reason="honest")


def modules():
    return Skipped(reason=" ".join(name for name in ("torch", "onnxruntime") if name in sys.modules))


def noisy(*, progress, keep):
    keep(Skipped(reason="so far"))
    while True:
        progress("layers", 1, 0)
        time.sleep(0.05)


def holding(*, progress, keep):
    """Says that it runs, then never gives up the interpreter's lock."""
    progress("layers", 0, 1)
    ctypes.PyDLL(None).sleep(60)
