"""Alignment, linearity and the power method: what theory says of them, on networks where it applies."""

import math

import pytest
import torch
from torch import nn

from lipcert.analyses.jacobian.alignment import align, attack_direction
from lipcert.analyses.jacobian.ascent import ascend, away_from, random_directions, unit
from lipcert.analyses.jacobian.cells import cell_radii
from lipcert.analyses.jacobian.linearity import SHARES, penultimate, profile
from lipcert.analyses.jacobian.neighbourhood import base_of, examine
from lipcert.analyses.jacobian.power_method import check_power_method
from lipcert.analyses.jacobian.singular import right_vectors
from lipcert.analyses.jacobian.walls import walls_of
from lipcert.records import AlignmentRecord, Skipped
from tests import graphs
from tests.captured import graph_from, randomised


class _Sign(nn.Module):
    def forward(self, x):
        return torch.sign(x)


class _Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.read, self.write = nn.Linear(4, 12), nn.Linear(20, 3)

    def forward(self, x):
        query, key, value = self.read(x).chunk(3, dim=-1)
        mixed = torch.softmax(query @ key.transpose(1, 2) / 2, dim=-1) @ value
        return self.write(mixed.flatten(1))


def _base(graph, count=40, seed=3):
    working = graph.to(dtype=torch.float64)
    return base_of(working, graphs.random(count, *graph.input_shape, seed=seed), None)


def _by_kind(records):
    return {(record.direction, record.radius): record for record in records}


@pytest.mark.parametrize("shape", [(1, 4, 7), (3, 7, 4), (2, 5, 5)])
def test_right_singular_vectors(shape):
    matrix = graphs.random(*shape, dtype=torch.float64)
    values, vectors = right_vectors(matrix)
    torch.testing.assert_close(values, torch.linalg.svdvals(matrix), rtol=1e-10, atol=1e-12)
    rank = min(shape[1:])
    torch.testing.assert_close(vectors @ vectors.mT, torch.eye(rank).double().expand(shape[0], -1, -1))
    torch.testing.assert_close((matrix @ vectors.mT).norm(dim=1), values)


def test_vectors_without_a_singular_value_are_zero():
    _, vectors = right_vectors(torch.tensor([[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]]))
    assert vectors[0].abs().sum(dim=1).tolist() == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("net", [lambda: graphs.mlp(20, 60, 10), graphs.conv, lambda: graphs.mlp(9, 30, 2)])
def test_a_small_attack_on_the_logits_follows_the_first_vector_and_random_directions_do_not(net):
    base = _base(net())
    found = _by_kind(align(base, 1e-3))
    small = found["logit attack", 5e-5]
    assert small.median_first >= 0.999
    assert small.gain == pytest.approx(1, abs=1e-3)
    assert all(later <= 0.5 * small.by_rank[0] for later in small.by_rank[1:])
    size = math.prod(base.graph.input_shape)
    flat = found["random", 0.0].by_rank
    assert sum(flat) / len(flat) == pytest.approx(math.sqrt(2 / (math.pi * size)), rel=0.25)


def test_a_small_cross_entropy_attack_goes_along_the_gradient_of_the_loss():
    base = _base(graphs.mlp(12, 40, 5))
    moved = attack_direction(base, "cross-entropy attack", 1e-6, seed=0)
    slope = base.logits.softmax(dim=1)
    slope[torch.arange(len(slope)), base.labels] -= 1
    gradient = (slope[:, None, :] @ base.jacobian)[:, 0]
    cosines = torch.cosine_similarity(moved.flatten(1), gradient)
    assert float(cosines.median()) > 0.999


def test_with_two_classes_and_one_difference_every_attack_on_the_logits_is_the_same_line():
    weight = torch.tensor([[1.0, -2.0, 0.5]])
    base = _base(graphs.mlp_of([(torch.cat([weight, -weight]), torch.zeros(2))]))
    records = align(base, 0.1)
    assert all(record.by_rank[1] is None for record in records)
    attacks = [record for record in records if record.direction != "random"]
    assert all(record.by_rank[0] == pytest.approx(1, abs=1e-3) for record in attacks)


@pytest.mark.parametrize("step", [1e4, math.inf])
@pytest.mark.parametrize("net", [lambda: graphs.mlp(8, 16, 12, 4), graphs.conv, lambda: graphs.mlp(5, 3)])
def test_inside_the_cell_ascent_with_a_huge_step_is_the_power_method(net, step):
    """Every iterate, not only the limit: x + eps v_k with v_k = J'J v_{k-1} over its norm."""
    base = _base(net(), 6)
    assert (base.jacobian.flatten(1).norm(dim=1) > 0).all()
    radius = 0.4 * min(1.0, float(cell_radii(walls_of(base.graph), base.points).radius.min()))
    start = random_directions(base.points, seed=1, stage="test")
    power = start.flatten(1)
    for steps in range(1, 9):
        power = (base.jacobian.mT @ (base.jacobian @ power[:, :, None]))[:, :, 0]
        power = power / power.norm(dim=1, keepdim=True)
        goal = away_from(base.logits)
        moved = ascend(base.graph, base.points, goal, start, radius=radius, steps=steps, step=step * radius)
        torch.testing.assert_close(moved.flatten(1) / radius, power, atol=1e-3 if step < math.inf else 1e-9, rtol=0)
        change = (base.graph(base.points + moved) - base.logits).norm(dim=1)
        torch.testing.assert_close(
            change, radius * (base.jacobian @ power[:, :, None]).norm(dim=(1, 2)), rtol=1e-3, atol=0
        )


def test_the_check_of_the_power_method_can_pass_and_fail():
    good = _base(graphs.mlp(8, 16, 4), 12)
    cells = cell_radii(walls_of(good.graph), good.points).radius
    passed = check_power_method(good, 0.1, cells)
    assert (passed.holds, passed.inside) == (1.0, 12)
    bent = _base(graph_from(lambda x: (torch.eye(3) @ torch.sin(300.0 * x).T).T * torch.arange(1.0, 4.0), 3), 12)
    assert check_power_method(bent, 1e4, None).holds < 0.5


@pytest.mark.parametrize("net", [graphs.conv, lambda: graphs.mlp(6, 12, 9, 4)])
def test_there_is_no_deviation_inside_the_cells_and_some_outside(net):
    base = _base(net(), 5)
    radius = float(cell_radii(walls_of(base.graph), base.points).radius.min())
    for record in profile(base, 0.99 * radius / SHARES[-1]):
        assert record.logit_change > 0
        assert record.logit_deviation <= 1e-9 * record.logit_change
        assert record.feature_deviation <= 1e-9 * record.feature_change
        mean = torch.linalg.matrix_norm(base.jacobian, 2).mean()
        assert record.spectral_norm == pytest.approx(float(mean), rel=1e-9)
    assert max(record.logit_deviation for record in profile(base, 1e4 * radius)) > 1e-6


def test_deviation_against_the_definition():
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    base = _base(graph_from(randomised(net), 4), 7)
    record = profile(base, 2.0)[3]
    assert record.radius == 2.0
    step = unit(attack_direction(base, "cross-entropy attack", 2.0, seed=0)) * 2.0
    hidden, inner = net.double()[:2], []
    for point, move in zip(base.points, step, strict=True):
        slope = torch.autograd.functional.jacobian(hidden, point)
        inner.append((hidden(point + move) - hidden(point) - slope @ move).norm())
    assert record.feature_deviation == pytest.approx(float(torch.stack(inner).mean()), rel=1e-9)
    outer = base.graph(base.points + step) - base.logits - (base.jacobian @ step[:, :, None])[:, :, 0]
    assert record.logit_deviation == pytest.approx(float(outer.norm(dim=1).mean()), rel=1e-9)


def test_features_are_what_the_last_layer_reads():
    assert penultimate(graphs.conv()).op == "view"
    assert penultimate(graphs.mlp(4, 3)) is None
    assert penultimate(graph_from(nn.Sequential(nn.Linear(4, 4), nn.Tanh()), 4)) is None
    pooled = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 1), nn.AdaptiveAvgPool2d(1))
    assert penultimate(graph_from(pooled, 1, 6, 6)).op == "relu"


KINDS = {
    "two classes": lambda: graphs.mlp(6, 9, 2),
    "tabular, more classes than features": lambda: graphs.mlp(3, 9, 5),
    "softmax inside": lambda: graph_from(randomised(nn.Sequential(nn.Linear(4, 8), nn.Softmax(1), nn.Linear(8, 3))), 4),
    "attention": lambda: graph_from(randomised(_Attention()), 5, 4),
    "sign": lambda: graph_from(randomised(nn.Sequential(nn.Linear(4, 8), _Sign(), nn.Linear(8, 3))), 4),
    "affine": lambda: graphs.mlp(6, 3),
}


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_network_gives_records(name, labelled):
    graph = KINDS[name]()
    inputs = graphs.random(9, *graph.input_shape, seed=7)
    labels = torch.arange(9) % graph.classes if labelled else None
    found = examine(graph, inputs, labels, radius=0.3)
    flat = name == "sign"
    assert isinstance(found.alignment, Skipped) == flat
    assert isinstance(found.power_method, Skipped) == flat
    assert isinstance(found.cells, Skipped) == (name in {"softmax inside", "attention"})
    assert len(found.linearity) == 2 * len(SHARES)
    assert set(found.cell_radius) <= set(range(9))
    if not flat:
        assert all(isinstance(record, AlignmentRecord) for record in found.alignment)
        assert all(
            0 <= value <= 1 + 1e-9 for record in found.alignment for value in record.by_rank if value is not None
        )


def test_the_same_seed_gives_the_same_records():
    graph, inputs = graphs.conv(), graphs.random(5, 2, 6, 6)
    first, again = (examine(graph, inputs, None, radius=0.2, seed=4) for _ in range(2))
    assert (first.alignment, first.linearity, first.cells) == (again.alignment, again.linearity, again.cells)
