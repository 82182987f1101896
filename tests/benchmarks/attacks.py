"""Robust accuracy, evaluations and CPU seconds of the cascade on two MNIST nets, beside AutoAttack's.

Run from the repository's root, with the nets' folder: python -m tests.benchmarks.attacks FOLDER [effort ...]
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lipcert.analyses.robustness import Robustness, analyze_robustness
from lipcert.attacks import Target


@dataclass(frozen=True)
class Anchor:
    """A ball on a net, and what AutoAttack's standard version reaches there: accuracy, gradients, forwards."""

    net: str
    norm: str
    eps: float
    accuracy: float | None = None
    gradients: int = 0
    forwards: int = 0


ANCHORS = (
    Anchor("adversarial", "linf", 0.15, 58.75, 467_838, 1_868_726),
    Anchor("standard", "linf", 0.05, 87.50, 673_000, 2_760_000),
    Anchor("adversarial", "l2", 1.5, 75.75, 596_000, 2_410_000),
    Anchor("adversarial", "l1", 8.0),
)


def target_of(folder: Path, net: str) -> Target:
    model = torch.jit.load(str(folder / f"mnist_conv_{net}.pt")).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    data = np.load(folder / "mnist_8000_8400.npz")
    clean = torch.from_numpy(data["images"]).float().reshape(-1, 1, 28, 28) / 255
    return Target(classify=model, scorer=model, clean=clean, labels=torch.from_numpy(data["labels"]).long())


def line(anchor: Anchor, effort: str, result: Robustness, seconds: float) -> str:
    (attacked,), (radii,) = result.attacked, result.radii
    record = attacked.record
    outside = int((~attacked.ball.contains(attacked.outcome.inputs, result.clean.inputs)).sum())
    theirs = (
        "" if anchor.accuracy is None else f"AutoAttack {anchor.accuracy} % {anchor.gradients:,} {anchor.forwards:,}"
    )
    return (
        f"{anchor.net:12} {anchor.norm:4} {anchor.eps:<5g} {effort:8} {100 * record.robust_accuracy:6.2f} %  "
        f"loss {record.robust_loss:.4f}  gradients {record.gradients + radii.gradients:,}  "
        f"forwards {record.forwards + radii.forwards:,}  {seconds:.1f} CPU-s  outside {outside}  {theirs}"
    )


def main(folder: Path, efforts: list[str]) -> None:
    torch.set_num_threads(1)
    for effort in efforts:
        for anchor in ANCHORS:
            target = target_of(folder, anchor.net)
            start = time.process_time()
            result = analyze_robustness(
                target, {anchor.norm: (anchor.eps,)}, input_range=(0.0, 1.0), effort=effort, batch_size=400
            )
            print(line(anchor, effort, result, time.process_time() - start), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["fast", "default"])
