"""Local constants: no gradient and no difference quotient in the region is above; linear pieces have them exactly."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.local import Gradients, edges_of, gradients
from lipcert.bounds.region import Region
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph
from lipcert.graph.jacobian import jacobians
from lipcert.records import Norm
from tests.bounds.layered.drawn import drawn
from tests.bounds.layered.nets import Joined, Residual
from tests.bounds.random_nets import random_net
from tests.captured import graph_from, randomised

DUAL: dict[Norm, float] = {"l2": 2.0, "linf": 1.0, "l1": math.inf}
ORDER: dict[Norm, float] = {"l2": 2.0, "linf": math.inf, "l1": 1.0}
HAIR = 1e-9  # autograd's own rounding

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    kind.__name__: kind
    for kind in (
        *(nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.ELU, nn.SELU, nn.CELU),
        *(nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid, nn.Softplus, nn.LogSigmoid),
    )
}
ACTIVATIONS["steep leaky"] = lambda: nn.LeakyReLU(2.5)
ACTIVATIONS["falling PReLU"] = lambda: nn.PReLU(init=-0.7)
ACTIVATIONS["gelu by tanh"] = lambda: nn.GELU(approximate="tanh")


def centres(graph: Graph, count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *graph.input_shape, generator=generator, dtype=torch.float64)


def bounded(graph: Graph, x: Tensor, norm: Norm, eps: float, rows: Tensor, *, refined: bool = True) -> Gradients:
    """Of every functional in `rows`, (S, classes), at every sample: M = N S."""
    bounder = Bounder(graph, deploy_dtype="real")
    region = Region(x, norm, torch.full((len(x),), eps, dtype=torch.float64))
    edges = edges_of(bounder, bounder.refine(region) if refined else bounder.intervals(region))
    sample = torch.arange(len(x)).repeat_interleave(len(rows))
    return gradients(edges, rows.repeat(len(x), 1), sample)


def inside(x: Tensor, norm: Norm, eps: float, generator: torch.Generator) -> Tensor:
    """Points of the ball: corners, the sphere, the inside."""
    step = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    if norm == "linf" and torch.rand((), generator=generator) < 0.5:
        step = step.sign()
    size = torch.linalg.vector_norm(step.flatten(1), ORDER[norm], dim=1)
    away = torch.rand(len(x), generator=generator, dtype=torch.float64) ** 0.2
    return x + step * (eps * away / size).reshape(-1, *[1] * (x.ndim - 1))


def attack(graph: Graph, norm: Norm, eps: float, *, seed: int = 0, tries: int = 8, refined: bool = True) -> None:
    x, generator = centres(graph, 3, seed), torch.Generator().manual_seed(seed + 1)
    rows = torch.cat([torch.eye(graph.classes), torch.randn(2, graph.classes, generator=generator)]).double()
    found = bounded(graph, x, norm, eps, rows, refined=refined)
    most = found.constant(norm).reshape(3, -1)
    size = found.size.reshape(3, len(rows), -1) if found.size is not None else torch.inf
    exact = graph.to(dtype=torch.float64)
    for _ in range(tries):
        point, other = inside(x, norm, eps, generator), inside(x, norm, eps, generator)
        there = torch.einsum("sk,nkd->nsd", rows, jacobians(exact, point))
        assert bool((there.abs() <= size * (1 + HAIR) + HAIR).all())
        steep = torch.linalg.vector_norm(there, DUAL[norm], dim=2)
        assert bool((steep <= most * (1 + HAIR) + HAIR).all())
        for near in (other, point + 1e-3 * (other - point)):
            change = (exact(point) - exact(near)).detach() @ rows.T
            apart = torch.linalg.vector_norm((point - near).flatten(1), ORDER[norm], dim=1)
            assert bool((change.abs() <= most * apart[:, None] * (1 + 1e-6) + 1e-11).all())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nothing_in_the_region_is_steeper(name: str) -> None:
    make = ACTIVATIONS[name]
    module = nn.Sequential(nn.Linear(5, 7), make(), nn.Linear(7, 6), make(), nn.Linear(6, 3))
    graph = graph_from(randomised(module), 5)
    for norm, eps in (("linf", 0.3), ("l2", 0.5)):
        attack(graph, norm, eps)  # type: ignore[arg-type]


SHAPES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "overlapping maxima": (
        lambda: nn.Sequential(nn.Conv2d(2, 3, 2), nn.GELU(), nn.MaxPool2d(3, 2, 1), nn.Flatten(), nn.Linear(27, 3)),
        (2, 6, 6),
    ),
    "maxima of maxima": (
        lambda: nn.Sequential(
            nn.MaxPool2d(3, 1), nn.Conv2d(1, 2, 2), nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(8, 2)
        ),
        (1, 6, 6),
    ),
    "residual": (
        lambda: nn.Sequential(
            Residual(nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6)), after=nn.LeakyReLU(-0.4)),
            Residual(nn.Sequential(nn.Linear(6, 4), nn.SiLU(), nn.Linear(4, 6))),
            nn.Linear(6, 3),
        ),
        (6,),
    ),
    "joined": (
        lambda: nn.Sequential(
            Joined(nn.Sequential(nn.Linear(5, 4), nn.ReLU()), nn.Linear(5, 3)), nn.ELU(), nn.Linear(7, 3)
        ),
        (5,),
    ),
    "strided, grouped, normalised": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2),
            nn.BatchNorm2d(4),
            nn.PReLU(4, init=-0.3),
            nn.AvgPool2d(2, 1, padding=1),
            nn.Flatten(),
            nn.Linear(64, 3),
        ),
        (2, 6, 6),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("refined", [False, True])
def test_every_kind_of_edge_is_sound(name: str, *, refined: bool) -> None:
    make, shape = SHAPES[name]
    graph = graph_from(randomised(make()).eval(), *shape)
    for norm, eps in (("linf", 0.1), ("l2", 1.0), ("l1", 1.0)):
        attack(graph, norm, eps, tries=6, refined=refined)  # type: ignore[arg-type]


def tried(graph: Graph, seed: int, *, tries: int = 8) -> bool:
    """Whether the network could be attacked at all."""
    try:
        for norm, eps in (("linf", 0.02), ("l2", 0.3), ("linf", 0.5)):
            attack(graph, norm, eps, seed=seed, tries=tries)  # type: ignore[arg-type]
    except UnsupportedOperatorError:
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_random_networks(seed: int) -> None:
    module, shape = drawn(seed)
    assert tried(graph_from(module, *shape), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 420))
def test_many_random_networks(seed: int) -> None:
    module, shape = drawn(seed)
    assert tried(graph_from(module, *shape), seed, tries=60)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 240, 8))
def test_networks_of_many_ops(first: int) -> None:
    for seed in range(first, first + 8):
        tried(random_net(seed, 0.6), seed)


def test_a_region_in_one_linear_piece_has_its_gradient() -> None:
    module = nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 2))
    graph = graph_from(randomised(module), 4)
    x, row = centres(graph, 1, 3), torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    exact = (row @ jacobians(graph.to(dtype=torch.float64), x)[0])[0]
    for norm, order in DUAL.items():
        found = float(bounded(graph, x, norm, 1e-9, row).constant(norm))
        length = float(torch.linalg.vector_norm(exact, order))
        assert length <= found <= length * (1 + 1e-9)


def test_all_logits_together_move_no_further_than_the_whole_constant() -> None:
    module = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 3))
    graph = graph_from(randomised(module), 5)
    x, generator, exact = centres(graph, 1, 0), torch.Generator().manual_seed(2), graph.to(dtype=torch.float64)
    for norm in DUAL:
        found = bounded(graph, x, norm, 0.3, torch.eye(3).double())
        whole, each = found.whole(norm), found.constant(norm)
        assert float(each.max()) <= whole * (1 + 1e-12) or norm == "l1"
        for _ in range(60):
            there = jacobians(exact, inside(x, norm, 0.3, generator))[0]
            order = {"l2": 2, "linf": math.inf, "l1": 1}[norm]
            assert float(torch.linalg.matrix_norm(there, order)) <= whole * (1 + HAIR)


def test_linear_bounds_are_tighter_than_intervals() -> None:
    module = nn.Sequential(*(layer for _ in range(3) for layer in (nn.Linear(20, 20), nn.ReLU())), nn.Linear(20, 2))
    graph = graph_from(randomised(module), 20)
    x, row = centres(graph, 2, 0), torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    bounder = Bounder(graph, deploy_dtype="real")
    edges = edges_of(bounder, bounder.refine(Region(x, "linf", torch.full((2,), 0.02, dtype=torch.float64))))
    linear, plain = (gradients(edges, row.repeat(2, 1), torch.arange(2), work=work) for work in (1e12, 0.0))
    assert (linear.spared, plain.spared) == (0, 3)
    assert linear.size is not None
    assert plain.size is not None
    assert bool((linear.size.sum(1) < 0.7 * plain.size.sum(1)).all())


def test_an_op_without_edges_is_named() -> None:
    module = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 2))
    graph = graph_from(randomised(module), 4)
    with pytest.raises(UnsupportedOperatorError, match="layer_norm"):
        bounded(graph, torch.zeros(1, 4).double(), "linf", 0.1, torch.eye(2).double())
