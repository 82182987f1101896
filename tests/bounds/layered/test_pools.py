"""Max pooling that tiles the image: never below what an ascent meets, and exact where windows are of one mind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from lipcert.analyses.lipschitz import gains, live_nodes
from lipcert.bounds.layered import layered_bound
from lipcert.bounds.layered.increments import equalised, isotropic
from lipcert.bounds.layered.multipliers import Searched, mean_log_pair, search
from lipcert.bounds.layered.network import dense_route, staged, torus_route
from lipcert.bounds.layered.pools import Pool
from lipcert.graph import Graph
from lipcert.rules import LayerNorms
from tests.bounds.layered.test_layered import steepest
from tests.captured import graph_from, randomised

Build = Callable[[], tuple[nn.Module, tuple[int, ...]]]


def pooled(*layers: nn.Module, shape: tuple[int, ...]) -> tuple[nn.Module, tuple[int, ...]]:
    body = nn.Sequential(*layers, nn.Flatten()).eval()
    with torch.no_grad():
        features = body(torch.zeros(1, *shape)).shape[1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 3)), shape


NETS: dict[str, Build] = {
    "relu behind": lambda: pooled(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), shape=(2, 8, 8)),
    "relu in front": lambda: pooled(
        nn.Conv2d(2, 3, 2), nn.MaxPool2d(3), nn.ReLU(), nn.Conv2d(3, 2, 2), shape=(2, 8, 8)
    ),
    "rest dropped": lambda: pooled(nn.Conv2d(1, 2, 2, padding=1), nn.Tanh(), nn.MaxPool2d(2), shape=(1, 6, 8)),
    "padded": lambda: pooled(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d((2, 3), padding=(1, 1)), shape=(1, 7, 9)),
    "falling": lambda: pooled(nn.Conv2d(1, 3, 3), nn.LeakyReLU(-0.5), nn.MaxPool2d(2), nn.GELU(), shape=(1, 8, 8)),
    "leaky": lambda: pooled(
        nn.Conv2d(1, 3, 3), nn.LeakyReLU(0.4), nn.MaxPool2d(2), nn.Conv2d(3, 2, 2), shape=(1, 8, 8)
    ),
    "by channel": lambda: pooled(nn.Conv2d(1, 3, 3), nn.PReLU(3, init=0.2), nn.MaxPool2d(2), shape=(1, 8, 8)),
    "twice": lambda: pooled(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 3, padding=1), nn.MaxPool2d(2)),
        *(nn.ReLU(),),
        shape=(1, 8, 8),
    ),
    "windowed after": lambda: pooled(
        *(nn.Conv2d(1, 2, 3, padding=2), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()), shape=(1, 5, 5)
    ),
    "one axis": lambda: pooled(nn.Conv1d(2, 3, 3), nn.ReLU(), nn.MaxPool1d(3), nn.Conv1d(3, 2, 2), shape=(2, 14)),
    "overlapping": lambda: pooled(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.MaxPool2d(3, 2), shape=(1, 8, 8)),
}


def graph_of(name: str) -> Graph:
    module, shape = NETS[name]()
    return graph_from(randomised(module).eval(), *shape)


def slope(matrix: torch.Tensor) -> float:
    return float(torch.linalg.eigvalsh(matrix)[-1].sqrt())


@pytest.mark.parametrize("name", NETS)
def test_ascents_stay_below_every_walk(name: str) -> None:
    graph = graph_of(name)
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    there = steepest(graph, starts=25, steps=8)
    most = float(torch.linalg.matrix_norm(there, 2).max())
    routes = [route for route in (torus_route(norms, nodes, found), dense_route(norms, nodes, found)) if route]
    assert routes
    for route in routes:
        for choose in (isotropic, equalised):
            matrix = route.walk(lambda _, kind=choose: kind)
            assert matrix is None or most <= slope(matrix) * (1 + 1e-12)
        searched = Searched(route.groups)
        best = search(lambda s, r=route: r.walk(s.choose), searched, steps=3, goal=mean_log_pair)
        assert best is None or most <= slope(best) * (1 + 1e-12)
    layered = layered_bound(norms, nodes, found, effort="fast")
    assert layered is not None
    assert most <= layered.whole


@pytest.mark.parametrize("length", [4, 16])
def test_what_a_window_shares_is_not_counted_twice(length: int) -> None:
    """Every window holds one number, repeated: the maximum is that number, and a ball would say the root of 4."""

    class Repeated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.spread = nn.ConvTranspose1d(1, 1, 4, stride=4, bias=False)
            self.last = nn.Linear(length, 2, bias=False)
            nn.init.ones_(self.spread.weight)
            nn.init.eye_(self.last.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(nn.functional.max_pool1d(self.spread(x), 4).flatten(1))

    graph = graph_from(Repeated().requires_grad_(False), 1, length)
    norms = LayerNorms(graph)
    layered = layered_bound(norms, live_nodes(norms), gains(norms, "l2"))
    assert layered is not None
    assert 1.0 <= layered.whole <= 1.001
    assert gains(norms, "l2")[norms.graph.output] >= 1.99


def test_a_pool_of_one_place_or_with_gaps_is_none() -> None:
    assert Pool((2, 2), (0, 0)).size == 4
    assert Pool((3,), (0,)).deviations(2).weight.sum().abs() < 1e-12


@pytest.mark.parametrize("size", [2, 3])
def test_a_first_stretch_bounded_by_itself_is_above_every_slope(size: int) -> None:
    convolved = (nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1), nn.ReLU())
    module, shape = pooled(*convolved, nn.MaxPool2d(size), nn.Conv2d(3, 2, 2), nn.Tanh(), shape=(2, 8, 8))
    graph = graph_from(randomised(module).eval(), *shape)
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    new = staged(norms, nodes, found)
    there = float(torch.linalg.matrix_norm(steepest(graph, starts=40, steps=8), 2).max())
    assert there <= new[nodes[-1]] < 0.95 * found[nodes[-1]]
    before = graph_from(nn.Sequential(*module[:4], nn.Flatten()), *shape)
    inner = float(torch.linalg.matrix_norm(steepest(before, starts=10, steps=4), 2).max())
    (pool,) = [node for node in nodes if node.op.startswith("max_pool")]
    assert inner <= new[pool.inputs[0]] < found[pool.inputs[0]]
