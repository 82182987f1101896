"""Several nets made at a time, each in a process with one thread."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from collections.abc import Iterable, MutableMapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

import torch

from sample_models.recipes.data import Split
from sample_models.recipes.making import make
from sample_models.recipes.progress import Bars
from sample_models.recipes.zoo import RECIPES, in_order, key_of

Splits: TypeAlias = dict[str, tuple[Split, Split]]
Net: TypeAlias = tuple[str, int]
Steps: TypeAlias = MutableMapping[str, tuple[int, int]]
_LOOK = 0.5
_PRELOAD = (
    "torch",
    "torch._dynamo",
    "torch.export._trace",
    "torch.onnx._internal.exporter._core",
    "onnxscript",
    "sample_models.recipes.workshop",
)


def make_all(nets: Iterable[Net], splits: Splits, home: Path, jobs: int) -> None:
    """Make every net, and note its facts beside its files as soon as it is there."""
    wanted, fresh = list(nets), get_context("forkserver")
    fresh.set_forkserver_preload(list(_PRELOAD))
    # The same bytes each time: TorchScript writes constants in the order of a set, and numbers its classes through all
    # that a process has compiled. Hence a hash that is fixed, and a process a net.
    os.environ["PYTHONHASHSEED"] = "0"
    pool = ProcessPoolExecutor(jobs, fresh, max_tasks_per_child=1)
    with fresh.Manager() as manager, pool, Bars(len(wanted)) as bars:
        steps = manager.dict()
        left = {pool.submit(_make, net, splits[RECIPES[net[0]].data], home, steps) for net in wanted}
        while left:
            done, left = wait(left, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for one in done:
                _note(one, home)
            bars.show(len(wanted) - len(left), dict(steps))


def _make(net: Net, splits: tuple[Split, Split], home: Path, steps: Steps) -> tuple[Net, dict[str, Any], float]:
    torch.set_num_threads(1)
    # The exporters speak of packages that are not needed, and warn of their own calls.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning)
    key, started = key_of(*net), time.monotonic()

    def watch(done: int, total: int) -> None:
        steps[key] = done, total

    try:
        return net, make(*net, splits, home, watch), time.monotonic() - started
    finally:
        steps.pop(key, None)


def _note(one: Future[tuple[Net, dict[str, Any], float]], home: Path) -> None:
    net, found, seconds = one.result()
    key, path = key_of(*net), home / RECIPES[net[0]].folder / "facts.json"
    path.write_text(json.dumps(in_order(read_facts(path) | {key: found}), indent=2) + "\n")
    print(f"{key}: {100 * found['clean_accuracy']:.1f} % in {seconds:.0f} s", flush=True)


def read_facts(path: Path) -> dict[str, dict[str, Any]]:
    """What is known of the nets in a folder."""
    found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    return found
