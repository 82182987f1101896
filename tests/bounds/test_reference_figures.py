"""Mean margin bounds on the comparison nets, as published for backward linear bounds with fixed slopes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.load.model import load_model


def mean_margin(folder: Path, name: str, samples: int, eps: float, **options: str) -> float:
    graph = load_model(folder / f"{name}.onnx").graph
    with np.load(folder / "random_batch32.npz") as data:
        x = torch.from_numpy(data["x"])[:samples]
    labels = graph(x).argmax(1)
    area = Region(x.double(), "linf", torch.full((samples,), eps, dtype=torch.float64), (0.0, 1.0))
    margins = Bounder(graph, **{"deploy_dtype": "real", **options}).margins(area, labels)
    others = torch.ones_like(margins, dtype=torch.bool).scatter(1, labels[:, None], False)
    return float(margins[others].mean())


@pytest.mark.parametrize(
    ("name", "samples", "eps", "figure"),
    [
        ("mlp", 32, 0.01, -0.2523),
        ("mlp", 32, 0.02, -5.3794),
        ("mlp", 32, 0.05, -34.4524),
        ("mlp", 32, 0.1, -89.8652),
        ("cnn", 32, 0.01, 0.4906),
        # A pool reads the bounds of stable neurons too: refining only unstable ones gives -0.76.
        ("res", 8, 0.01, 1.58),
    ],
)
def test_no_looser_than_published(reference_nets: Path, name: str, samples: int, eps: float, figure: float) -> None:
    assert mean_margin(reference_nets, name, samples, eps) >= figure - 1e-4


def test_rounding_of_the_deployed_net_costs_little(reference_nets: Path) -> None:
    real, sound = (mean_margin(reference_nets, "mlp", 8, 0.01, deploy_dtype=kind) for kind in ("real", "float32"))
    assert real - 0.1 < sound < real
