"""How much time and memory a child may take."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import final

_SHARE = 0.9
_HEADROOM = 4 << 30
_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one child.

    timeout     seconds of wall time; None for no limit
    max_memory  bytes of resident memory; None for nine tenths of what the machine has
    threads     CPU threads; None for torch's own choice
    """

    timeout: float | None = None
    max_memory: int | None = None
    threads: int | None = None

    @property
    def memory(self) -> int:
        """Bytes of resident memory in force."""
        return self.max_memory or int(_SHARE * machine_memory())


def machine_memory() -> int:
    """Bytes of memory of this machine, or of the control group where that has less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CGROUP:
        with contextlib.suppress(OSError, ValueError):
            found.append(int(path.read_text(encoding="ascii")))
    return min(found)


def resident(pid: int) -> int:
    """Bytes of resident memory of a process; 0 where the system does not tell or the process is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def confine(limits: Limits) -> None:
    """Set this process's own limits: no core dump, and no single allocation far beyond the memory allowed.

    The watch of the parent looks at resident memory a few times a second; a leap past it in between meets
    RLIMIT_DATA, which fails the allocation. macOS has no such limit, and an address-space limit would refuse CUDA.
    """
    _lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        _lower(resource.RLIMIT_DATA, 2 * limits.memory + _HEADROOM)


def _lower(which: int, value: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(which)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (most, most))
