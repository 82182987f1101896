"""The fork server: a process that has imported torch once and from which every child is forked."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext

from lipcert import openmp

PRELOAD = "lipcert.supervise.preload"


def server(threads: int | None = None) -> ForkServerContext:
    """Start the fork server, unless it runs, and return the context that forks from it.

    threads  CPU threads for the libraries to start with; it counts for the first call, before they are imported
    """
    if threads is not None:
        openmp.use_threads(threads)
    openmp.wait_patiently()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    forkserver.ensure_running()
    return context


def leave_server() -> None:
    """In a child: let go of the pipes that keep the fork server and the resource tracker alive.

    Every child inherits them. A byte in the wrong one ends the server, and a child that holds one keeps it alive.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for owner, name in ((forkserver, "_forkserver"), (resource_tracker, "_resource_tracker")):
        for field in ("_forkserver_alive_fd", "_fd"):
            pipe = getattr(getattr(owner, name, None), field, None)
            if isinstance(pipe, int):
                os.dup2(nowhere, pipe)
    os.close(nowhere)
