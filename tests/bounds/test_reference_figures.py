"""Mean margin bounds on the comparison nets, as published for backward linear bounds with fixed slopes."""

from __future__ import annotations

import pytest
import torch

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from tests.comparison_nets import PUBLISHED, comparison_net, inputs

_SLOW = {("cnn", 32, eps) for eps in (0.02, 0.05, 0.1)}


def mean_margin(name: str, samples: int, eps: float, deploy_dtype: str = "real") -> float:
    graph, x = comparison_net(name), inputs(samples)
    labels = graph(x).argmax(1)
    area = Region(x.double(), "linf", torch.full((samples,), eps, dtype=torch.float64), (0.0, 1.0))
    margins = Bounder(graph, deploy_dtype=deploy_dtype).margins(area, labels)
    others = torch.ones_like(margins, dtype=torch.bool).scatter(1, labels[:, None], False)
    return float(margins[others].mean())


@pytest.mark.parametrize("case", [pytest.param(c, marks=[pytest.mark.slow] * (c in _SLOW)) for c in PUBLISHED], ids=str)
def test_no_looser_than_published(case: tuple[str, int, float]) -> None:
    assert mean_margin(*case) >= PUBLISHED[case] - 1e-4


def test_rounding_of_the_deployed_net_costs_little() -> None:
    real, sound = (mean_margin("mlp", 8, 0.01, kind) for kind in ("real", "float32"))
    assert real - 0.1 < sound < real
