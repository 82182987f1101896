"""Linear regions: their walls, the distance to them, and what is exact inside."""

import math

import pytest
import torch
from torch import nn

from lipcert.analyses.jacobian import cells as module
from lipcert.analyses.jacobian.cells import cell_radii
from lipcert.analyses.jacobian.neighbourhood import base_of, first_order_radii
from lipcert.analyses.jacobian.walls import walls_of
from lipcert.graph.jacobian import jacobians
from lipcert.records import Skipped
from tests import graphs
from tests.captured import graph_from, randomised


class _Sign(nn.Module):
    def forward(self, x):
        return torch.sign(x)


def _net(*layers):
    return randomised(nn.Sequential(*layers))


NETS = {
    "toy": graphs.toy,
    "deep": lambda: graphs.mlp(6, 12, 9, 4),
    "conv": graphs.conv,
    "leaky": lambda: graph_from(_net(nn.Linear(5, 9), nn.LeakyReLU(0.2), nn.Linear(9, 3)), 5),
    "prelu": lambda: graph_from(_net(nn.Linear(5, 9), nn.PReLU(), nn.Linear(9, 3)), 5),
    "relu6": lambda: graph_from(_net(nn.Linear(5, 9), nn.ReLU6(), nn.Linear(9, 3)), 5),
    "hardsigmoid": lambda: graph_from(_net(nn.Linear(5, 9), nn.Hardsigmoid(), nn.Linear(9, 3)), 5),
    "sign": lambda: graph_from(_net(nn.Linear(5, 9), _Sign(), nn.Linear(9, 3)), 5),
    "max pool": lambda: graph_from(
        _net(nn.Conv2d(1, 3, 3), nn.MaxPool2d(3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3)), 1, 6, 6
    ),
    "ceil": lambda: graph_from(_net(nn.MaxPool2d(2, 2, ceil_mode=True), nn.Flatten(), nn.Linear(9, 3)), 1, 5, 5),
    "dilated": lambda: graph_from(_net(nn.MaxPool1d(2, 1, dilation=2), nn.Flatten(), nn.Linear(12, 3)), 2, 8),
    "norm": lambda: graph_from(
        _net(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 3)), 2, 6, 6
    ),
    "residual": lambda: graph_from(lambda x: (x + torch.relu(x.flip(1) - 0.3)) @ torch.ones(4, 2).tril(), 4),
    "maximum": lambda: graph_from(lambda x: torch.maximum(x, x.flip(1) * 0.5 + 0.1) @ torch.ones(4, 2).tril(), 4),
    "amax": lambda: graph_from(lambda x: torch.stack([(x + torch.eye(4)[0]).amax(dim=1), -x.amin(dim=1)], dim=1), 4),
}
EVERY = pytest.mark.parametrize("name", NETS)


def _walls(name):
    graph = NETS[name]().to(dtype=torch.float64)
    walls = walls_of(graph)
    assert not isinstance(walls, Skipped)
    points = graphs.random(6, *graph.input_shape, seed=3, dtype=torch.float64)
    return graph, walls, points


def _directions(like, count):
    steps = graphs.random(count, *like.shape, seed=11, dtype=torch.float64)
    return steps / steps.flatten(1).norm(dim=1).reshape(-1, *[1] * like.ndim)


@EVERY
def test_the_network_is_its_jacobian_inside_the_cell_and_not_far_beyond(name):
    graph, walls, points = _walls(name)
    radii = cell_radii(walls, points).radius
    bent = 0.0
    for point, radius, matrix in zip(points, radii.tolist(), jacobians(graph, points), strict=True):
        assert 0 < radius < math.inf
        steps = _directions(point, 300)
        for reach in (0.5, 1 - 1e-9, 50.0):
            moved = graph(point + reach * radius * steps)
            error = (moved - graph(point[None]) - reach * radius * steps.flatten(1) @ matrix.T).abs().amax()
            if reach < 1:
                assert error <= 1e-8 * (1 + moved.abs().max())
            else:
                bent = max(bent, float(error))
    assert bent > 1e-6


@EVERY
def test_the_radius_is_the_distance_to_the_nearest_wall(name):
    """No wall function changes sign within it; straight down the gradient of one of them, it does just beyond."""
    _, walls, points = _walls(name)
    cells = cell_radii(walls, points)
    assert cells.decided.all()
    assert cells.failure_probability == 0
    for point, radius in zip(points, cells.radius.tolist(), strict=True):
        before = walls(point[None])
        inside = walls(point + (1 - 1e-9) * radius * _directions(point, 200))
        assert not ((before.sign() * inside.sign() < 0) & (before.abs() > 1e-12)).any()
        gradients = torch.autograd.functional.jacobian(lambda x: walls(x[None])[0], point).nan_to_num()
        slopes = gradients.flatten(1)
        lengths = slopes.norm(dim=1)
        nearest = torch.where(lengths > 0, before[0].abs() / lengths, torch.inf).argmin()
        step = -before[0, nearest].sign() * slopes[nearest] / lengths[nearest]
        beyond = walls((point + (1 + 1e-6) * radius * step.reshape(point.shape))[None])
        assert beyond[0, nearest].sign() != before[0, nearest].sign()


@pytest.mark.parametrize("name", ["deep", "conv", "max pool"])
def test_the_search_with_gaussian_directions_finds_the_same_walls(name, monkeypatch):
    _, walls, points = _walls(name)
    exact = cell_radii(walls, points).radius
    monkeypatch.setattr(module, "AXES", 0)
    cells = cell_radii(walls, points)
    assert 0 < cells.failure_probability < 1e-6
    assert cells.decided.any()
    torch.testing.assert_close(cells.radius[cells.decided], exact[cells.decided], rtol=1e-12, atol=0)
    monkeypatch.setattr(module, "_LOOKS", 0)
    bounds = cell_radii(walls, points)
    assert not bounds.decided.any()
    assert (bounds.radius <= exact).all()
    assert (bounds.radius >= 0.3 * exact).all()


def test_the_toy():
    points = torch.ones(1, 2, dtype=torch.float64)
    assert cell_radii(walls_of(graphs.toy().to(dtype=torch.float64)), points).radius.tolist() == [0.5]


def test_an_affine_network_has_no_walls():
    graph = graphs.mlp(4, 3).to(dtype=torch.float64)
    cells = cell_radii(walls_of(graph), torch.zeros(2, 4, dtype=torch.float64))
    assert cells.walls == 0
    assert cells.radius.tolist() == [math.inf, math.inf]


def test_curved_networks_are_named():
    found = walls_of(graph_from(nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Softmax(1)), 3))
    assert isinstance(found, Skipped)
    assert found.operators == ("_softmax", "gelu")


@pytest.mark.parametrize("name", ["deep", "leaky", "sign", "residual"])
def test_the_local_radius_is_exact_where_it_ends_inside_the_cell(name):
    """No point of a fine sample of the ball errs; just beyond the radius, straight at the boundary, one does."""
    graph, walls, _ = _walls(name)
    points = 3 * graphs.random(40, *graph.input_shape, seed=5, dtype=torch.float64)
    base = base_of(graph, points, None)
    first_order, cell = first_order_radii(base), cell_radii(walls, points).radius
    local = torch.minimum(first_order, cell)
    for point, label, radius in zip(points, base.labels, local.tolist(), strict=True):
        steps = _directions(point, 200)
        assert (graph(point + (1 - 1e-9) * radius * steps).argmax(dim=1) == label).all()
    inside = (first_order < cell).nonzero()[:, 0].tolist()
    for row in inside:
        label, matrix, logits = base.labels[row], base.jacobian[row], base.logits[row]
        slopes = matrix - matrix[label]
        reach = (logits[label] - logits) / slopes.norm(dim=1)
        rival = int(reach.nan_to_num(nan=math.inf).argmin())
        step = (slopes[rival] / slopes[rival].norm()).reshape(points[row].shape)
        beyond = graph((points[row] + (1 + 1e-6) * first_order[row] * step)[None])[0]
        assert beyond[rival] > beyond[label]
    assert inside or name == "sign"


def test_misclassified_samples_have_no_radius():
    base = base_of(graphs.toy().to(dtype=torch.float64), torch.ones(1, 2), torch.tensor([1]))
    assert first_order_radii(base).tolist() == [-math.inf]
