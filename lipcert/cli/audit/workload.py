"""What the options say about how an audit is run."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lipcert.audit import AbstractEngine, LocalEngine, Store
from lipcert.cli import values
from lipcert.cli.limits import limits
from lipcert.errors import UsageError
from lipcert.supervise import Limits
from lipcert.supervise.limits import machine_memory

DEFAULT_DIR = Path("lipcert-audit")
_SHARE = 0.9
_OVERWRITE = ("only-missing", "failed", "always")


def store(given: dict[str, Any]) -> Store:
    """The audit's folder."""
    return Store(given["output_dir"] or DEFAULT_DIR)


def jobs(given: dict[str, Any]) -> int:
    """Models at a time: as many as GPU slots, else one, where nothing is said; with Ray as many as cores."""
    said = values.whole(given["jobs"], "--jobs", least=1, most=4096) or len(devices(given))
    return said or (_cores() // (limits(given).threads or 1) if _by_ray(given) else 0) or 1


def share(given: dict[str, Any]) -> Limits:
    """The limits of one child: cores and memory are shared out among the jobs where nothing else is said.

    The machines of a cluster are not this one: there a model has one core, and what memory its machine has.
    """
    said, count = limits(given), jobs(given)
    if given["ray_address"] is not None:
        return Limits(timeout=said.timeout, max_memory=said.max_memory, threads=said.threads or 1)
    threads = said.threads or max(1, _cores() // count)
    memory = said.max_memory or int(_SHARE * machine_memory() / count)
    return Limits(timeout=said.timeout, max_memory=memory, threads=threads)


def _cores() -> int:
    return os.cpu_count() or 1


def _by_ray(given: dict[str, Any]) -> bool:
    return values.choice(given["engine"], "--engine", ("local", "ray")) == "ray"


def engine(given: dict[str, Any], devices: tuple[str, ...]) -> AbstractEngine:
    """Who runs the tasks."""
    if not _by_ray(given):
        if given["ray_address"] is not None:
            raise UsageError("--ray-address is of no use to the local engine", hint="add --engine ray")
        return LocalEngine(jobs(given), devices)
    if find_spec("ray") is None:
        raise UsageError("--engine ray needs Ray", hint="pip install 'lipcert[ray]'")
    allowed = share(given)
    found: AbstractEngine = import_module("lipcert.audit.engine_ray").RayEngine(
        jobs(given) if given["ray_address"] is None else values.whole(given["jobs"], "--jobs", least=1),
        address=given["ray_address"],
        cpus=allowed.threads or 1,
        gpus=1 / _slots(given) if devices or _wants_gpu(given) else 0,
        memory=limits(given).max_memory or 0,
    )
    return found


def overwrite(given: dict[str, Any]) -> str:
    """Which results are made again."""
    return values.choice(given["overwrite"], "--overwrite", _OVERWRITE) or _OVERWRITE[0]


def shard(text: str | None) -> tuple[int, int]:
    """(i - 1, n) from "i/n"; (0, 1) where nothing is shared out."""
    if text is None:
        return 0, 1
    index, slash, count = text.partition("/")
    if not slash:
        raise UsageError(f"--shard needs I/N, got {text!r}", hint="for example --shard 3/8")
    total = values.whole(count, "--shard", least=1) or 1
    return (values.whole(index, "--shard", least=1, most=total) or 1) - 1, total


def devices(given: dict[str, Any]) -> tuple[str, ...]:
    """A device for each slot: none where the CPU computes."""
    wanted = values.device(given.get("device"))
    slots = _slots(given)
    if wanted == "cpu":
        return ()
    if ":" in wanted:
        return (wanted,) * slots
    return tuple(f"cuda:{index}" for _ in range(slots) for index in range(_gpus()))


def _wants_gpu(given: dict[str, Any]) -> bool:
    """Whether a GPU is asked for that other machines may have."""
    return given["ray_address"] is not None and values.device(given.get("device")).startswith("cuda")


def _slots(given: dict[str, Any]) -> int:
    return values.whole(given["gpu_slots"], "--gpu-slots", least=1) or 1


def _gpus() -> int:
    """How many GPUs this machine shows, without asking torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([part for part in visible.split(",") if part.strip() not in {"", "-1"}])
    return len([name for name in os.listdir("/dev") if name.startswith("nvidia") and name[6:].isdecimal()])  # noqa: PTH208
