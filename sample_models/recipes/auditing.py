"""What lipcert says of the zoo: its own command line, run on the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import final

from lipcert.cli.entry import run
from sample_models.recipes.data import Split, digits, load
from sample_models.recipes.evidence import evidence
from sample_models.recipes.zoo import L2, LINF, MNIST_L2, RECIPES, ROBUST, in_order, key_of, seeds

CLOSE = 0.15
"""The l2 radius at which certificates of the digits nets are compared."""

_DIGITS = ["--eps", f"l2:{CLOSE},l2:{L2},linf:{LINF}"]
_MNIST = ["--only", "jacobian,margins,robustness,generalization", "--eps", f"l2:{MNIST_L2},linf:{LINF}"]
_SPREAD = 2000
"""Test images of the MNIST study."""

_CERTIFIED = ["--samples", "1000", "--only", "margins,certificates", "--effort", "fast", "--eps"]
_ROBUST = {"mnist_linf": [*_CERTIFIED, "linf:0.05"], "mnist_l2": [*_CERTIFIED, "l2:0.5"]}
_FITTED = ("standard", "cap4", "random_labels", "random_labels_cap4")
"""Recipes whose fit to the training labels is looked at."""


@final
class Audit:
    """Where an audit reads and writes: nets in `home`, the images it needs and whole reports in `reports`.

    mnist  files of MNIST's training and test images; without them the nets of the MNIST study are left out
    """

    def __init__(self, home: Path, mnist: tuple[Path, Path] | None) -> None:
        self.home, self.mnist = home, mnist
        self.reports = home / "zoo" / "reports"

    def prepare(self) -> None:
        """Write the first images that nets were trained on, for the gaps between training and test.

        The first half of MNIST's test images is the harder one (a loss twice that of the second), and would pass
        for a gap: test images are taken evenly from all of them.
        """
        self.reports.mkdir(parents=True, exist_ok=True)
        self._first("digits", digits(0)[0])
        if self.mnist is not None:
            self._first("mnist", load(self.mnist[0]))
            load(self.mnist[1]).spread(_SPREAD).save(self._spread)

    def _first(self, data: str, split: Split) -> None:
        recipe = RECIPES["standard" if data == "digits" else "mnist_standard"]
        assert recipe.samples is not None
        split.first(recipe.samples).save(self._training(data))

    @property
    def _spread(self) -> Path:
        return self.reports / "mnist_spread.npz"

    def _training(self, data: str) -> Path:
        return self.reports / f"{data}_trained_on.npz"

    def commands(self, only: list[str] | None) -> Iterator[tuple[Path, list[str]]]:
        """Report file and command line of every analysis."""
        for name, recipe in RECIPES.items():
            if recipe.folder != "zoo" or (only and name not in only):
                continue
            if recipe.data == "mnist" and name not in ROBUST and self.mnist is None:
                continue
            for seed in seeds(name):
                (file,) = recipe.files(name, seed)
                key = key_of(name, seed)
                if not (self.home / file).exists():
                    continue
                if not recipe.random_labels:
                    yield self.reports / f"{key}.test.json", [str(self.home / file), *self._on_test(name)]
                if name.removeprefix("conv_") in _FITTED:
                    yield self.reports / f"{key}.train.json", [str(self.home / file), *self._on_train(name, seed)]

    def _on_test(self, name: str) -> list[str]:
        recipe, small = RECIPES[name], self.home / f"{RECIPES[name].data}_test.npz"
        if name in ROBUST:
            return ["--data", str(small), "--split", "test", *_ROBUST[name]]
        study = recipe.data == "mnist"
        common = ["--data", str(self._spread if study else small), "--split", "test"]
        gaps = ["--train-data", str(self._training(recipe.data)), "--effort", "fast"]
        if study:
            return [*common, *gaps, *_MNIST]
        return [*common, *gaps, *_DIGITS, *_UNITS]

    def _on_train(self, name: str, seed: int) -> list[str]:
        labels = ["--labels", str(self.home / "zoo" / f"random_labels_{seed}.npy")]
        return [
            *("--data", str(self.home / "digits_train.npz"), *_UNITS, "--samples", str(RECIPES[name].samples)),
            *(labels if RECIPES[name].random_labels else []),
            *("--split", "train", "--only", "margins,generalization", "--effort", "fast"),
        ]


_UNITS = ["--scale", "16", "--input-range", "0,1"]


def audit(home: Path, only: list[str] | None, *, again: bool, jobs: int, mnist: tuple[Path, Path] | None) -> None:
    """Run every analysis that has no report yet, and gather what the reports say in zoo/audit.json."""
    plan = Audit(home, mnist)
    plan.prepare()
    wanted = [(report, line) for report, line in plan.commands(only) if again or not report.exists()]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for number, (report, code) in enumerate(pool.map(_run, wanted), start=1):
            print(f"{number}/{len(wanted)} {report.name}{'' if code == 0 else f': exit code {code}'}", flush=True)
    gather(home)


def _run(job: tuple[Path, list[str]]) -> tuple[Path, int]:
    """One command line, as `lipcert` itself would be run with it; the nets are our own, so no child is needed."""
    report, line = job
    return report, run(["analyze", *line, "--threads", "1", "--no-isolation", "-q", "-o", str(report)])


def gather(home: Path) -> None:
    """Take from every report there is the numbers that claims are about."""
    path = home / "zoo" / "audit.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    for report in sorted((home / "zoo" / "reports").glob("*.json")):
        key, _, split = report.stem.partition(".t")
        document = json.loads(report.read_text())
        if document["errors"]:  # stopped halfway
            continue
        found = evidence(document["models"][0], "t" + split)
        known[key] = known.get(key, {}) | found
    path.write_text(json.dumps(in_order(known), indent=1) + "\n")
