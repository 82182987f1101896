"""Settings of the threads that torch and its kin compute with; they count only before those are imported."""

from __future__ import annotations

import os

_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def wait_patiently() -> None:
    """Let waiting threads sleep soon, unless the environment says otherwise.

    By default they spin, which on a busy machine makes two threads seven times slower than one. Where they sleep at
    once, small networks take twice as long on a quiet machine: a few microseconds lie between.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")


def use_threads(count: int) -> None:
    """Compute with `count` threads, whatever the environment says."""
    os.environ.update(dict.fromkeys(_COUNTS, str(count)))
