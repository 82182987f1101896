"""Rows on windows say what rows written out say."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.intermediate import Refinement
from lipcert.bounds.linearisation import Linearisation
from lipcert.bounds.memory import row_bytes
from lipcert.bounds.units import Units, both_sides
from lipcert.bounds.windows import Windows
from lipcert.rules.interval import entries
from tests.bounds.nets import NETS, net, region, scaled
from tests.captured import graph_from, randomised
from tests.graphs import random

CONVOLUTIONAL = [name for name, (_, shape) in NETS.items() if len(shape) > 1 and name != "mlp"]


def _agree(known: Linearisation) -> int:
    """Compare 40 units of every node with the same rows written out; how many rows went through windows."""
    for node in known.plan.nodes[1:]:
        shape = entries(node)
        index = random(shape.numel(), seed=shape.numel()).argsort()[:40].expand(len(known.region), -1)
        rows = both_sides(index)
        short = known.lower(rows, target=node, tight=False)
        long = known.lower(rows.dense(shape), target=node, tight=False)
        assert torch.allclose(short, long, rtol=1e-9, atol=1e-9), node
    return len(known.plan.kernels)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_units_and_windows_agree_with_written_out_rows(name: str) -> None:
    graph = net(name)
    _agree(Bounder(graph).refined(region(graph, "linf", 0.05, samples=2)))


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_windows_over_other_balls(norm: str) -> None:
    graph = net("conv")
    _agree(Bounder(graph).refined(region(graph, norm, 0.2, clip=False)))


def test_windows_are_used() -> None:
    module = nn.Sequential(
        nn.Conv2d(1, 3, 3, 2, 1), nn.ReLU(), nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)
    )
    module(torch.zeros(1, 1, 20, 20))
    graph = graph_from(scaled(randomised(module)), 1, 20, 20)
    assert _agree(Bounder(graph).refined(region(graph, "linf", 0.05))) > 0


@settings(max_examples=8, deadline=None)
@given(
    sides=st.integers(8, 11),
    kernels=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)), min_size=2, max_size=3
    ),
    seed=st.integers(0, 1000),
)
def test_any_convolutions(sides: int, kernels: list[tuple[int, int, int, int]], seed: int) -> None:
    layers: list[nn.Module] = []
    for i, (kernel, stride, padding, dilation) in enumerate(kernels):
        layers += [nn.Conv2d(2 if i else 1, 2, kernel, stride, padding, dilation), nn.ReLU()]
    module = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(3))
    try:
        module(torch.zeros(1, 1, sides, sides))
    except RuntimeError:
        return  # the map became too small
    graph = graph_from(scaled(randomised(module, seed)), 1, sides, sides)
    _agree(Bounder(graph).refined(region(graph, "linf", 0.05, samples=2)))


class _Joined(nn.Module):
    """Two convolutions, one by channel, and the input side by side, a pool over all of them, and one more convolution.

    The join is copied twice more on its way, so that the pool stands behind copies of copies.
    """

    def __init__(self, kernel: int, stride: int, padding: int, dilation: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 2, 3, 1, 1), nn.Conv2d(2, 4, 3, 1, 1, groups=2)
        self.pool = nn.MaxPool2d(kernel, stride, padding, dilation)
        self.third = nn.Conv2d(8, 3, 3, 1, 1)
        self.last = nn.LazyLinear(3)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([torch.relu(self.first(x)), self.second(x), x], 1)
        pooled = self.pool(both.flip(2).permute(0, 1, 3, 2))
        return self.last(torch.relu(self.third(torch.relu(pooled - 0.2))).flatten(1))


@settings(max_examples=4, deadline=None)
@given(
    sides=st.tuples(st.integers(6, 8), st.integers(6, 8)),
    pool=st.tuples(st.integers(2, 3), st.integers(1, 3), st.integers(0, 1), st.integers(1, 2)),
    seed=st.integers(0, 1000),
)
def test_any_pools_behind_joins(sides: tuple[int, int], pool: tuple[int, int, int, int], seed: int) -> None:
    module = _Joined(*pool).eval()
    module(torch.zeros(1, 2, *sides))
    graph = graph_from(scaled(randomised(module, seed)), 2, *sides)
    known = Bounder(graph).refined(region(graph, "linf", 0.05, samples=2))
    _agree(known)


def test_a_pool_behind_a_join_is_tightened_at_the_convolutions() -> None:
    module = nn.Sequential(nn.Conv2d(2, 2, 3, 1, 1), nn.ReLU(), _Joined(2, 2, 0, 1)).eval()
    module(torch.zeros(1, 2, 8, 8))
    graph = graph_from(scaled(randomised(module)), 2, 8, 8)
    bounder = Bounder(graph)
    refinement = Refinement(Linearisation(bounder.plan, region(graph, "linf", 0.05), bounder.deployment, {}), {}, 2**24)
    refinement.run()
    assert {node.op for node in refinement.targets} == {"convolution", "sub"}
    plain = bounder.intervals(refinement.region)
    for node, box in refinement.known.intervals.items():
        assert bool((box.lower >= plain[node].lower - 1e-9).all()), node
        assert bool((box.upper <= plain[node].upper + 1e-9).all()), node
    joined = next(node for node in bounder.nodes if node.op == "cat")
    assert float(refinement.known.intervals[joined].radius.sum()) < float(plain[joined].radius.sum())


def _window_rows(seed: int = 0) -> Windows:
    places = torch.tensor([[-1, 0], [2, 3], [4, -2]])
    return Windows(random(2, 5, 3, 2, 4, seed=seed).double(), places, torch.tensor([[0, 1, 2, 1, 0], [2, 2, 0, 1, 1]]))


def test_products_with_maps() -> None:
    rows, shape = _window_rows(), torch.Size([3, 5, 6])
    maps: Tensor = random(2, *shape, seed=3).double()
    written = rows.dense(shape)
    assert torch.allclose(rows.inner(maps), (written * maps[:, None]).flatten(2).sum(2))
    assert torch.allclose(rows.weigh(maps[:1].abs()), (written.abs() * maps[:1, None].abs()).flatten(2).sum(2))
    clean = rows.cleaned(shape[1:])
    assert torch.equal(clean.dense(shape), written)
    assert torch.allclose(clean.values.square().sum(), written.square().sum())


def test_sums_of_windows() -> None:
    first = _window_rows()
    second = Windows(random(2, 5, 3, 3, 3, seed=8).double(), first.places - torch.tensor([1, -2]), first.at)
    both, shape = first.add(second), torch.Size([3, 5, 6])
    assert both is not None
    assert torch.allclose(both.dense(shape), first.dense(shape) + second.dense(shape))


@pytest.mark.parametrize("name", ["conv", "pooled", "branches"])
def test_portions_change_nothing(name: str) -> None:
    graph = net(name)
    area, labels = region(graph, "linf", 0.05, samples=2), torch.zeros(2, dtype=torch.long)
    whole = Bounder(graph).margins(area, labels)
    few = Bounder(graph, max_memory=1).margins(area, labels)
    assert torch.allclose(whole, few, rtol=1e-9, atol=1e-9)


def test_slopes_of_all_passes_that_do_not_fit_leave_those_of_the_last() -> None:
    graph = net("mlp")
    area, labels = region(graph, "linf", 0.15, samples=2), torch.zeros(2, dtype=torch.long)
    final, full = (
        Bounder(graph, max_memory=1).margins(area, labels, slopes=kind, steps=3) for kind in ("final", "full")
    )
    assert torch.allclose(final, full, rtol=1e-9, atol=1e-9)


def test_memory_is_counted_before_it_is_used() -> None:
    graph = net("conv")
    bounder = Bounder(graph)
    second = next(node for node in bounder.nodes if node.op == "convolution" and node.inputs[0].op == "relu")
    widest = max(entries(node).numel() for node in bounder.nodes)
    assert row_bytes(bounder.plan, second, windowed=False) >= 8 * widest
    known = Linearisation(bounder.plan, region(graph, "linf", 0.05), bounder.deployment, {})
    portion = Refinement(known, {}, 2**20)._portion(second, windowed=False)
    assert 2 * portion * len(known.region) * row_bytes(bounder.plan, second, windowed=False) <= 2**20
    assert isinstance(both_sides(torch.zeros(1, 1, dtype=torch.long)), Units)
