"""Ascents in networks drawn at random: no slope they meet is above a bound."""

from __future__ import annotations

import math

import pytest
import torch

from lipcert.analyses.lipschitz import gains, live_nodes
from lipcert.bounds.layered import layered_bound
from lipcert.bounds.layered.network import dense_route, torus_route
from lipcert.rules import LayerNorms
from tests.bounds.layered.drawn import drawn
from tests.bounds.layered.test_layered import steepest
from tests.captured import graph_from


def check(seed: int, starts: int) -> int:
    """How many bounds were held against the slopes of one network."""
    module, shape = drawn(seed)
    graph = graph_from(module, *shape)
    norms = LayerNorms(graph)
    nodes, found = live_nodes(norms), gains(norms, "l2")
    there = steepest(graph, starts=starts, steps=15, seed=seed)
    slope = float(torch.linalg.matrix_norm(there, 2).max())
    layered = layered_bound(norms, nodes, found, effort="fast" if seed % 3 else "default")
    if layered is None:
        return 0
    assert slope <= layered.whole
    assert bool((there.norm(dim=2).amax(0) <= layered.logits).all())
    assert bool(((there[:, :, None] - there[:, None]).norm(dim=3).amax(0) <= layered.pairs).all())
    walks = [route.walk() for route in (torus_route(norms, nodes, found), dense_route(norms, nodes, found)) if route]
    for matrix in walks:
        assert matrix is None or slope <= math.sqrt(float(torch.linalg.eigvalsh(matrix)[-1])) * (1 + 1e-12)
    return 1 + len(walks)


@pytest.mark.parametrize("seed", range(8))
def test_a_few_ascents_stay_below(seed: int) -> None:
    assert check(seed, starts=25)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 170))
def test_many_ascents_stay_below(seed: int) -> None:
    """150 ascents in each of 70 networks."""
    assert check(seed, starts=150)
