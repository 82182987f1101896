"""Branch and bound against the exact minimum of small nets, and its bounds against points."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.branch import CERTIFIED, FALSIFIED, Goals, margin_goals, prove
from lipcert.bounds.branch.base import AbstractBranching, Bounded
from lipcert.bounds.branch.domains import Domains
from lipcert.bounds.branch.inputs import InputBranching
from lipcert.bounds.branch.neurons import NeuronBranching
from lipcert.bounds.branch.search import OPEN, STUCK, Found, SearchSettings, search
from lipcert.bounds.region import Region
from tests.bounds.branch.exact import exact_minimum
from tests.graphs import mlp_of, random

WIDTHS = [(3, 4, 4, 2), (2, 6, 3), (4, 3, 3, 3, 2), (5, 8, 1)]
WAYS = ["neurons", "inputs"]


def net(widths, seed):
    """Layers in float32 numbers, and their graph."""
    layers = [
        (random(rows, columns, seed=seed + 2 * i) * (2 / columns) ** 0.5, random(rows, seed=seed + 2 * i + 1) * 0.3)
        for i, (columns, rows) in enumerate(itertools.pairwise(widths))
    ]
    exact = [(weight.double().numpy(), bias.double().numpy()) for weight, bias in layers]
    return exact, mlp_of(layers)


def region_of(widths, count=1, eps=0.7):
    centre = random(count, widths[0], seed=99, dtype=torch.float64).float().double() * 0.3
    return Region(centre, "linf", torch.full((count,), eps, dtype=torch.float64))


def goals_of(rows, offsets):
    rows = torch.as_tensor(np.array(rows), dtype=torch.float64).reshape(len(offsets), 1, -1)
    index = torch.arange(len(offsets))
    return Goals(
        region=torch.zeros_like(index),
        group=index,
        rows=rows,
        offset=torch.tensor(offsets, dtype=torch.float64)[:, None],
    )


def judge_of(graph, region, goals):
    exact, box = graph.to(dtype=torch.float64), region.interval()

    def judge(points, about):
        where = goals.region[about]
        inside = torch.minimum(torch.maximum(points, box.lower[where]), box.upper[where])
        return goals.worst(exact(inside), about) <= 0

    return judge


def run(way, graph, region, goals, *, deploy_dtype="real", batch=64, rounds=400):
    bounder = Bounder(graph, deploy_dtype=deploy_dtype)
    if way == "neurons":
        branching = NeuronBranching(bounder, region, goals, bounder.refine(region))
    else:
        branching = InputBranching(bounder, region, goals)
    found = Found(status=torch.full((len(goals),), OPEN), points={})
    left = iter(range(rounds))
    search(
        branching,
        goals,
        judge_of(graph, region, goals),
        found,
        settings=SearchSettings(batch=batch),
        expired=lambda: next(left, None) is None,
    )
    return found


@pytest.mark.parametrize(("way", "nearest"), [("neurons", 1e-3), ("inputs", 5e-2)])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize("seed", [0, pytest.param(20, marks=pytest.mark.slow)])
def test_goals_are_settled_as_the_exact_minimum_says(way, nearest, widths, seed):
    layers, graph = net(widths, seed)
    region = region_of(widths)
    row, minimum = lowest(layers, region)
    deltas = [nearest, 0.2, -nearest, -0.2]
    found = run(way, graph, region, goals_of([row] * len(deltas), [delta - minimum for delta in deltas]))
    assert found.status.tolist() == [CERTIFIED, CERTIFIED, FALSIFIED, FALSIFIED], found
    for goal, point in found.points.items():
        value = row @ graph.to(dtype=torch.float64)(point[None])[0].detach().numpy()
        assert value <= minimum - deltas[goal] + 1e-9


def lowest(layers, region):
    """The difference of the first two outputs, or the only output, and its exact minimum over the region."""
    box, outputs = region.interval(), len(layers[-1][1])
    row = np.eye(outputs)[0] - (np.eye(outputs)[1] if outputs > 1 else 0)
    return row, exact_minimum(layers, box.lower[0].numpy(), box.upper[0].numpy(), row)


@pytest.mark.parametrize("way", WAYS)
def test_rounding_of_the_deployed_net_is_part_of_the_proof(way):
    """A goal that holds in real arithmetic by less than float32 can tell apart must not be shown for float32."""
    layers, graph = net((2, 6, 3), 0)
    region = region_of((2, 6, 3))
    row, minimum = lowest(layers, region)
    goals = goals_of([row], [1e-9 - minimum])
    assert run(way, graph, region, goals, deploy_dtype="float32", rounds=60).status.item() != CERTIFIED
    assert run("neurons", graph, region, goals, deploy_dtype="real").status.item() == CERTIFIED


@pytest.mark.parametrize("way", WAYS)
def test_a_conjunction_is_settled_where_no_row_alone_would(way):
    """-1 <= y <= 1 has outputs below 0.1 and others above -0.1, yet none is <= -0.1 and >= 0.1 at once."""
    _, graph = net((2, 4, 1), 0)
    region = region_of((2, 4, 1))
    index = torch.zeros(2, dtype=torch.int64)
    rows = torch.tensor([[[1.0], [-1.0]]] * 2, dtype=torch.float64)
    middle = float(graph(region.centre.float())[0, 0])
    offset = torch.tensor([[0.1 - middle, 0.1 + middle], [-0.1 - middle, -0.1 + middle]], dtype=torch.float64)
    goals = Goals(region=index, group=torch.arange(2), rows=rows, offset=offset)
    assert run(way, graph, region, goals).status.tolist() == [CERTIFIED, FALSIFIED]


def test_goals_of_a_group_fall_together():
    layers, graph = net((3, 4, 4, 2), 0)
    region = region_of((3, 4, 4, 2))
    row, minimum = lowest(layers, region)
    goals = goals_of([row, row], [-0.1 - minimum, 0.1 - minimum])
    goals = Goals(region=goals.region, group=goals.region, rows=goals.rows, offset=goals.offset)
    found = run("neurons", graph, region, goals)
    assert found.status.tolist() == [FALSIFIED, FALSIFIED]
    assert list(found.points) == [0]


@pytest.mark.parametrize("effort", ["fast", "default", "high"])
def test_proofs_hold_at_points_whatever_the_effort(effort):
    """Random offsets over several regions: nothing certified has a point at or below 0."""
    _, graph = net((6, 12, 12, 3), 5)
    region = region_of((6, 12, 12, 3), count=4, eps=0.4)
    goals = margin_goals(graph(region.centre.float()).argmax(1), 3)
    judge = judge_of(graph, region, goals)
    limit = iter(range(40))
    found = prove(Bounder(graph), region, goals, judge, effort=effort, expired=lambda: next(limit, None) is None)
    box, generator = region.interval(), torch.Generator().manual_seed(0)
    shape = (2000, *region.centre.shape)
    share = torch.rand(shape, generator=generator, dtype=torch.float64)
    share[::2] = share[::2].round()
    points = box.lower + (box.upper - box.lower) * share
    for goal in (found.status == CERTIFIED).nonzero().flatten().tolist():
        logits = graph(points[:, int(goals.region[goal])].float()).detach()
        assert (goals.worst(logits, torch.full((2000,), goal)) > 0).all()
    if effort != "fast":
        assert not (found.status == OPEN).any()


def test_time_that_is_up_leaves_goals_open():
    _, graph = net((3, 4, 4, 2), 0)
    region = region_of((3, 4, 4, 2))
    found = run("neurons", graph, region, goals_of([[1.0, -1.0]], [0.0]), rounds=0)
    assert found.status.tolist() == [OPEN]
    assert found.reason == "the time ran out"


class Broken(AbstractBranching):
    """Bounds that are no finite numbers."""

    def __init__(self, value):
        self.value = value

    def roots(self, goals):
        bound = torch.full((len(goals),), self.value, dtype=torch.float64)
        return Bounded(domains=Domains(goal=goals, bound=bound, state={}), points=torch.zeros(len(goals), 1))

    def is_whole(self, domains):
        return torch.ones(len(domains), dtype=torch.bool)

    def settle(self, domains):
        return Bounded(domains=domains, points=torch.zeros(len(domains), 1))

    def children(self, domains):
        return self.settle(domains)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_what_is_no_positive_number_shows_nothing(value):
    found = Found(status=torch.full((1,), OPEN), points={})
    goals = goals_of([[1.0]], [0.0])
    search(
        Broken(value),
        goals,
        lambda points, _: torch.zeros(len(points), dtype=torch.bool),
        found,
        settings=SearchSettings(),
        expired=lambda: False,
    )
    assert found.status.tolist() == [STUCK]


def test_nothing_is_assumed_of_a_neuron_that_may_have_either_sign():
    """Settling a domain before its neurons are cut must not take them for stable: the bound stays below the truth."""
    layers, graph = net((3, 4, 4, 2), 20)
    region = region_of((3, 4, 4, 2))
    row, minimum = lowest(layers, region)
    bounder = Bounder(graph, deploy_dtype="real")
    goals = goals_of([row], [-minimum])
    branching = NeuronBranching(bounder, region, goals, bounder.refine(region))
    root = branching.roots(torch.tensor([0])).domains
    assert not branching.is_whole(root).any()
    assert branching.settle(root).domains.bound.item() <= 1e-9
