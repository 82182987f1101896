"""What holds a model in check on this platform, and what is weaker here than on Linux."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import resource
import sys
from pathlib import Path


def weaker() -> tuple[str, ...]:
    """Each protection that is missing here, in words; none on a usual Linux."""
    found = []
    if "forkserver" not in multiprocessing.get_all_start_methods():
        found.append("no fork server: models cannot be opened in a process of their own")
    if sys.platform != "linux" or not hasattr(resource, "RLIMIT_DATA"):
        found.append("no limit on a child's data: one huge allocation is seen only when its memory is used")
    if not Path("/proc/self/statm").exists():
        found.append("no /proc: the memory of a child is not watched, --max-memory has no effect")
    if not hasattr(fcntl, "F_SETSIG"):
        found.append("no signal on a closed pipe: a child stuck in foreign code outlives a killed parent for a while")
    if not hasattr(os, "O_NOFOLLOW"):
        found.append("no O_NOFOLLOW: a link put in place while a model is read would be followed")
    return tuple(found)
