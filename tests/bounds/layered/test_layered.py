"""Layered bounds: never below a slope that is there, the closed form where there is one, below the product."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lipcert.analyses.lipschitz import gains, live_nodes
from lipcert.bounds.layered import Layered, layered_bound
from lipcert.bounds.layered.increments import Multipliers, isotropic
from lipcert.bounds.layered.network import Route, dense_route, torus_route
from lipcert.graph import Graph, Node
from lipcert.graph.jacobian import jacobians
from lipcert.rules import LayerNorms
from tests.bounds.layered.nets import NETS
from tests.captured import graph_from, randomised


def bound(graph: Graph, effort: str = "default") -> tuple[Layered, float]:
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    layered = layered_bound(norms, nodes, found, effort=effort)
    assert layered is not None
    return layered, found[nodes[-1]]


def steepest(graph: Graph, starts: int = 60, steps: int = 12, seed: int = 0) -> Tensor:
    """Jacobians (N, K, D) at points found by walking up the spectral norm."""
    working = graph.to(dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    x = 3 * torch.randn(starts, *graph.input_shape, generator=generator, dtype=torch.float64)
    best = jacobians(working, x)
    for step in range(steps):
        moved = x + 0.5**step * torch.randn(x.shape, generator=generator, dtype=torch.float64)
        there = jacobians(working, moved)
        better = torch.linalg.matrix_norm(there, 2) > torch.linalg.matrix_norm(best, 2)
        x[better], best[better] = moved[better], there[better]
    return best


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_no_slope_is_above_the_bound_and_the_bound_is_not_above_the_product(name: str, seed: int) -> None:
    module, shape = NETS[name]()
    graph = graph_from(randomised(module, seed), *shape)
    found, product = bound(graph)
    there = steepest(graph)
    assert float(torch.linalg.matrix_norm(there, 2).max()) <= found.whole
    assert bool((there.norm(dim=2).amax(0) <= found.logits).all())
    pairs = (there[:, :, None] - there[:, None]).norm(dim=3).amax(0)
    assert bool((pairs <= found.pairs + 1e-300).all())
    assert found.whole <= product * (1 + 1e-7)


@pytest.mark.parametrize("name", [name for name in NETS if "mlp" not in name and name != "joined"])
def test_torus_and_flat_vectors_bound_the_same_network(name: str) -> None:
    module, shape = NETS[name]()
    graph = graph_from(randomised(module), *shape)
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    torus, flat = torus_route(norms, nodes, found), dense_route(norms, nodes, found)
    assert isinstance(torus, Route)
    assert isinstance(flat, Route)
    slope = float(torch.linalg.matrix_norm(steepest(graph, starts=20), 2).max())
    for route in (torus, flat):
        matrix = route.walk()
        assert matrix is not None
        assert slope <= float(torch.linalg.eigvalsh(matrix)[-1].sqrt()) <= 1.001 * found[nodes[-1]]


@pytest.mark.parametrize("shape", [(5,), (2, 6, 5)])
def test_a_linear_network_has_its_own_norm(shape: tuple[int, ...]) -> None:
    if len(shape) == 1:
        module: nn.Module = nn.Sequential(nn.Linear(5, 8), nn.Linear(8, 4))
    else:
        module = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Flatten(), nn.Linear(90, 4))
    graph = graph_from(randomised(module), *shape)
    found, _ = bound(graph)
    matrix = jacobians(graph.to(dtype=torch.float64), torch.zeros(1, *shape))[0]
    exact = float(torch.linalg.matrix_norm(matrix, 2))
    assert exact <= found.whole <= exact * (1 + 1e-6)
    pairs = (matrix[:, None] - matrix[None]).norm(dim=2)
    assert bool((pairs <= found.pairs).all())
    assert bool((found.pairs <= pairs * (1 + 1e-6)).all())


@pytest.mark.parametrize("effort", ["default", "high"])
def test_a_diagonal_network_has_the_product_of_each_unit(effort: str) -> None:
    first, second = torch.tensor([3.0, 0.5, 1.0]), torch.tensor([0.2, 2.0, 1.0])
    module = nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 3, bias=False))
    with torch.no_grad():
        module[0].weight.copy_(first.diag())
        module[2].weight.copy_(second.diag())
    found, _ = bound(graph_from(module, 3), effort=effort)
    exact = first.double() * second.double()
    assert bool((exact <= found.logits).all())
    assert float(exact.max()) <= found.whole <= float(exact.max()) * (1 + 1e-6)


def test_scales_of_layers_that_cancel_change_nothing() -> None:
    module, shape = NETS["mlp ReLU"]()
    randomised(module)
    before, _ = bound(graph_from(module, *shape))
    with torch.no_grad():
        module[0].weight.mul_(64.0)
        module[0].bias.mul_(64.0)
        module[2].weight.div_(64.0)
    after, _ = bound(graph_from(module, *shape))
    assert after.whole == pytest.approx(before.whole, rel=1e-9)


def test_a_walk_after_one_that_failed_half_way_is_what_it_would_be_alone() -> None:
    module = nn.Sequential(*(layer for _ in range(3) for layer in (nn.Linear(5, 5), nn.GELU())), nn.Linear(5, 3))
    graph = graph_from(randomised(module), 5)
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    gelus = [node for node in nodes if node.op == "gelu"]

    def failing(node: Node) -> Multipliers:
        return (lambda matrix: torch.zeros(matrix.shape[-1]).double()) if node is gelus[1] else isotropic

    alone, after = dense_route(norms, nodes, found), dense_route(norms, nodes, found)
    assert alone is not None
    assert after is not None
    for first, second in ((failing, lambda _: isotropic), (lambda _: isotropic, failing)):
        after.walk(first)
        expected, got = alone.walk(second), after.walk(second)
        assert expected is not None
        assert got is not None
        assert torch.equal(expected, got)
        alone = dense_route(norms, nodes, found)
        assert alone is not None
