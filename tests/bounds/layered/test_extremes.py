"""Weights, shapes and windows at the ends of what is possible."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from lipcert.analyses.lipschitz import gains, live_nodes
from lipcert.bounds.layered import layered_bound
from lipcert.bounds.layered.covariance import above, congruence, frobenius, inverse_above, largest
from lipcert.graph import Graph
from lipcert.rules import LayerNorms
from tests.bounds.layered.test_layered import bound, steepest
from tests.captured import graph_from, randomised


def mlp(*sizes: int) -> nn.Sequential:
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def scaled(graph: Graph, factors: tuple[float, ...]) -> Graph:
    """The graph in float64 with its matrices multiplied by these numbers in turn."""
    graph = graph.to(dtype=torch.float64)
    left = iter(factors)
    with torch.no_grad():
        for node in graph.nodes:
            for arg in node.args:
                if isinstance(arg, Tensor) and arg.ndim > 1:
                    arg.mul_(next(left))
    return graph


def true_pairs(graph: Graph, factor: float) -> Tensor:
    """Slopes met of each difference of two logits, times `factor`, which may leave the range of the graph's own."""
    there = steepest(graph, starts=100)
    return factor * (there[:, :, None] - there[:, None]).norm(dim=3).amax(0)


@pytest.mark.parametrize(
    "factors",
    [
        (1e-80, 1e-80, 1.0),
        (1e-100, 1.0, 1e-60),
        (1e-160, 1.0, 1.0),
        (1.0, 1.0, 1e-170),
        (1e-200, 1e200, 1.0),
        (1e200, 1e-200, 1.0),
        (1e100, 1e-50, 1e-100),
        (1e60, 1e60, 1.0),
        (1e-155, 1e-155, 1e20),
    ],
)
def test_scales_near_the_ends_of_float64_leave_a_bound_or_none(factors: tuple[float, ...]) -> None:
    module = mlp(4, 5, 4, 3)
    randomised(module)
    for layer in module:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    graph = graph_from(module, 4)
    slopes = true_pairs(graph, math.prod(factors))
    norms = LayerNorms(scaled(graph, factors))
    nodes = live_nodes(norms)
    found = layered_bound(norms, nodes, gains(norms, "l2"))
    if found is not None:
        assert math.isfinite(found.whole)
        assert bool(torch.isfinite(found.pairs).all())
        assert bool((slopes <= found.pairs).all())
        assert float(slopes.max()) <= 2**0.5 * found.whole


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e-12])
def test_layers_of_zeros_and_of_one_row_over_and_over(value: float) -> None:
    for place in (0, 2, 4):
        module = mlp(4, 6, 6, 3)
        randomised(module)
        with torch.no_grad():
            module[place].weight.fill_(value)
        graph = graph_from(module, 4)
        found, product = bound(graph)
        slopes = steepest(graph, starts=20)
        assert float(torch.linalg.matrix_norm(slopes, 2).max()) <= found.whole
        assert found.whole <= product * (1 + 1e-6) + 1e-20
        assert bool(((slopes[:, :, None] - slopes[:, None]).norm(dim=3).amax(0) <= found.pairs).all())


def test_pruned_units_do_not_cost_the_bound_of_the_others() -> None:
    module = mlp(6, 12, 12, 3)
    randomised(module)
    whole, _ = bound(graph_from(module, 6), effort="fast")
    with torch.no_grad():
        wide = mlp(6, 20, 20, 3)
        for layer in wide:
            if isinstance(layer, nn.Linear):
                layer.weight.zero_()
                layer.bias.zero_()
        for mine, theirs in zip(wide, module, strict=True):
            if isinstance(mine, nn.Linear):
                rows, columns = theirs.weight.shape
                mine.weight[:rows, :columns] = theirs.weight
                mine.bias[:rows] = theirs.bias
    pruned, _ = bound(graph_from(wide, 6), effort="fast")
    assert pruned.whole <= whole.whole * (1 + 1e-6)


def conv(*layers: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*layers)


WINDOWS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "one pixel": (conv(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1)), (3, 1, 1)),
    "stride above kernel": (conv(nn.Conv2d(2, 3, 2, stride=3), nn.ReLU(), nn.Conv2d(3, 2, 1, stride=2)), (2, 9, 8)),
    "dilation past the image": (conv(nn.Conv2d(1, 3, 3, padding=4, dilation=4), nn.ReLU()), (1, 4, 5)),
    "groups": (
        conv(nn.Conv2d(4, 8, 3, padding=1, groups=4), nn.GELU(), nn.Conv2d(8, 4, 2, groups=2, stride=2)),
        (4, 5, 5),
    ),
    "depthwise, leaky": (
        conv(nn.Conv2d(3, 3, 3, padding=2, groups=3), nn.LeakyReLU(0.7), nn.Conv2d(3, 3, 3, padding=1, groups=3)),
        (3, 5, 4),
    ),
    "even kernel, padded": (conv(nn.Conv2d(1, 2, 4, padding=2), nn.ReLU(), nn.Conv2d(2, 2, 2, padding=1)), (1, 5, 6)),
    "asymmetric": (
        conv(
            nn.ZeroPad2d((0, 3, 2, 0)),
            nn.Conv2d(1, 2, (3, 2)),
            nn.ReLU(),
            nn.ZeroPad2d((1, 0, 0, 1)),
            nn.Conv2d(2, 2, 2),
        ),
        (1, 4, 5),
    ),
    "cropped": (
        conv(nn.Conv2d(1, 2, 3, padding=2), nn.ZeroPad2d((-1, -2, 0, -1)), nn.Conv2d(2, 2, 3, padding=1)),
        (1, 4, 5),
    ),
    "same": (conv(nn.Conv2d(1, 2, 4, padding="same"), nn.ReLU(), nn.Conv2d(2, 2, 4, padding="same")), (1, 5, 5)),
    "large kernel": (conv(nn.Conv2d(1, 2, 7, padding=3), nn.SiLU(), nn.Conv2d(2, 2, 7, padding=3)), (1, 3, 3)),
    "three strides": (
        conv(nn.Conv1d(2, 3, 3, 2, 1), nn.ReLU(), nn.Conv1d(3, 3, 3, 3, 1), nn.Tanh(), nn.Conv1d(3, 3, 2, 2, 1)),
        (2, 13),
    ),
    "cube": (conv(nn.Conv3d(1, 2, 2, padding=1), nn.ReLU(), nn.Conv3d(2, 2, 2, stride=2)), (1, 3, 3, 4)),
    "transposed": (conv(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1)), (1, 5, 4)),
    "average over padding": (conv(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AvgPool2d(3, 2, 1), nn.Conv2d(2, 2, 1)), (1, 6, 7)),
    "average to a size": (conv(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Conv2d(2, 2, 2)), (1, 7, 6)),
    "ceiling": (conv(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True), nn.Conv2d(2, 2, 1)), (1, 7, 6)),
    "reflected": (
        conv(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.Conv2d(2, 1, 3)),
        (1, 5, 5),
    ),
    "circular": (
        conv(nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.Conv2d(2, 1, 3)),
        (1, 5, 5),
    ),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_of_every_kind_are_bounded(name: str) -> None:
    make, shape = WINDOWS[name]
    graph = graph_from(randomised(make()), *shape)
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    layered = layered_bound(norms, nodes, found, effort="fast")
    if layered is None:
        return
    there = steepest(graph, starts=40)
    assert float(torch.linalg.matrix_norm(there, 2).max()) <= layered.whole
    assert bool(((there[:, :, None] - there[:, None]).norm(dim=3).amax(0) <= layered.pairs).all())


def test_matrices_of_tiny_numbers_keep_their_errors() -> None:
    tiny = torch.full((1, 3, 3), 1e-170, dtype=torch.float64)
    assert frobenius(tiny) >= 3e-170
    assert float(above(tiny, 0.0)[0, 0, 0]) > 1e-170
    assert frobenius(torch.full((1, 2, 2), 1e200, dtype=torch.float64)) >= 2e200
    unit = torch.eye(2, dtype=torch.float64)[None]
    assert float(congruence(1e-170 * unit, 0.0, unit)[0, 0, 0]) > 0
    assert largest(1e-200 * unit) >= 1e-200
    inverse = inverse_above(1e-200 * unit, 0.0)
    assert inverse is None or float(inverse[0, 0, 0]) >= 1e200
