"""Zeros around an image: what a window reads there is 0, whatever a torus would hold at that place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lipcert.analyses.lipschitz import gains, live_nodes
from lipcert.bounds.layered.network import dense_route, torus_route
from lipcert.graph import Graph
from lipcert.graph.jacobian import jacobians
from lipcert.rules import LayerNorms
from tests.captured import graph_from


def row(taps: list[float], padding: int = 1) -> nn.Conv1d:
    layer = nn.Conv1d(1, 1, len(taps), padding=padding, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(taps)[None, None])
    return layer.requires_grad_(False)


SMOOTH, SHARP = [0.5, 1.0, 0.5], [-0.5, 1.0, -0.5]
BETWEEN: dict[str, Callable[[], nn.Module]] = {
    "nothing": nn.Identity,
    "leaky": lambda: nn.LeakyReLU(0.95),
    "prelu": lambda: nn.PReLU(init=0.9),
    "scaled": lambda: nn.BatchNorm1d(1, affine=False).eval(),
    "padding apart": lambda: nn.ConstantPad1d((3, 2), 0.0),
    "cropped and padded": lambda: nn.Sequential(nn.ConstantPad1d((-2, -2), 0.0), nn.ConstantPad1d((2, 2), 0.0)),
    "average": lambda: nn.AvgPool1d(1),
    "gelu": nn.GELU,
    "maximum": lambda: nn.MaxPool1d(2, 1),
}


def steepest(graph: Graph) -> float:
    generator = torch.Generator().manual_seed(0)
    x = 5 * torch.randn(200, *graph.input_shape, generator=generator, dtype=torch.float64)
    there = jacobians(graph.to(dtype=torch.float64), x)
    return float(torch.linalg.matrix_norm(there, 2).max())


def values(graph: Graph) -> dict[str, float]:
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    routes = {"torus": torus_route(norms, nodes, found), "flat": dense_route(norms, nodes, found)}
    walks = {name: route.walk() for name, route in routes.items() if route is not None}
    return {name: float(torch.linalg.eigvalsh(m)[-1].sqrt()) for name, m in walks.items() if m is not None}


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("length", [2, 8])
def test_a_border_that_is_cut_away_between_two_windows_counts(between: str, length: int) -> None:
    """Smoothing and sharpening cancel on a torus, and not at a border that was set to 0 in between."""
    layers = (row(SMOOTH), BETWEEN[between](), row(SHARP), row(SMOOTH), row(SHARP))
    graph = graph_from(nn.Sequential(*layers).eval(), 1, length + 4 * (between[:3] == "cro"))
    found = values(graph)
    slope = steepest(graph)
    assert found
    for name, value in found.items():
        assert slope <= value * (1 + 1e-12), name


@pytest.mark.parametrize("after", [nn.ReLU, nn.Tanh, nn.GELU])
def test_a_sum_of_branches_is_cut_at_its_border(after: Callable[[], nn.Module]) -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third, self.after = row(SMOOTH), row(SHARP), row(SHARP), after()

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            return self.third(y + self.second(self.after(y)))

    graph = graph_from(Skip().eval(), 1, 4)
    slope = steepest(graph)
    for name, value in values(graph).items():
        assert slope <= value * (1 + 1e-12), name
