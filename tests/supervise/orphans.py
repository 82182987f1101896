"""Processes that bear a mark in their environment, which children inherit."""

import os
import time
from pathlib import Path

VARIABLE = "LIPCERT_TEST_MARK"


def alive(mark):
    """The pids of all processes with this mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                if f"{VARIABLE}={mark}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def gone_within(mark, seconds):
    """Whether no process with the mark is left after so many seconds."""
    end = time.monotonic() + seconds
    while alive(mark) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(mark)
