"""FAB, and the projections on hyperplanes it walks by."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from lipcert.attacks import Ball, Fab, Noise
from lipcert.attacks.hyperplane import to_hyperplane
from lipcert.graph.scores import margins
from tests import graphs
from tests.attacks import closed_forms

NORMS = ["l1", "l2", "linf"]
ORDER = {"l1": 1, "l2": 2, "linf": torch.inf}


def _problem(seed, features, closeness):
    normal = graphs.random(5, features, seed=seed, dtype=torch.float64)
    normal[0, 0] = 0.0
    room = graphs.uniform(5, features, seed=seed + 1, dtype=torch.float64)
    room[1, -1] = 0.0
    most = (normal.abs() * room).sum(dim=1)
    residual = closeness * most * torch.tensor([1.0, -1, 1, -1, 1], dtype=torch.float64)
    return residual, normal, room


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NORMS), st.integers(0, 999), st.integers(1, 20), st.floats(0.01, 0.99))
def test_a_projection_lies_on_the_plane_and_in_the_box(norm, seed, features, closeness):
    residual, normal, room = _problem(seed, features, closeness)
    moved = to_hyperplane(residual, normal, room, norm)
    assert (moved.abs() <= room + 1e-12).all()
    torch.testing.assert_close((normal * moved).sum(dim=1), -residual, rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["l1", "linf"]), st.integers(0, 999), st.integers(1, 8), st.floats(0.01, 0.99))
def test_no_point_of_the_plane_is_nearer_by_linear_programming(norm, seed, features, closeness):
    residual, normal, room = _problem(seed, features, closeness)
    moved = to_hyperplane(residual, normal, room, norm)
    lengths = torch.linalg.vector_norm(moved, ORDER[norm], dim=1)
    for row in range(5):
        steep = normal[row].abs().tolist()
        if norm == "l1":
            cost, equal, bounds = [1.0] * features, [steep], [(0, r) for r in room[row].tolist()]
            upper = limits = None
        else:
            cost, equal, bounds = [0.0] * features + [1.0], [[*steep, 0.0]], [(0, r) for r in room[row].tolist()]
            bounds.append((0, None))
            upper = torch.cat([torch.eye(features), -torch.ones(features, 1)], dim=1).tolist()
            limits = [0.0] * features
        best = linprog(cost, A_ub=upper, b_ub=limits, A_eq=equal, b_eq=[abs(float(residual[row]))], bounds=bounds)
        assert best.status == 0
        assert float(lengths[row]) == pytest.approx(best.fun, rel=1e-6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.integers(2, 12), st.floats(0.01, 0.99))
def test_the_l2_projection_meets_the_conditions_of_optimality(seed, features, closeness):
    """Coordinates that the box does not stop move in proportion to the normal; the others would move further."""
    residual, normal, room = _problem(seed, features, closeness)
    moved = to_hyperplane(residual, normal, room, "l2").abs()
    free = (moved < room * (1 - 1e-9)) & (normal != 0)
    pace = torch.where(free, moved / normal.abs(), torch.nan)
    level = pace.nan_to_num(nan=-torch.inf).amax(dim=1, keepdim=True)
    spread = level - pace.nan_to_num(nan=torch.inf).amin(dim=1, keepdim=True)
    assert (spread[free.any(dim=1)] <= 1e-9 * (1 + level[free.any(dim=1)].abs())).all()
    stopped = ~free & (normal != 0) & free.any(dim=1, keepdim=True)
    assert (room[stopped] <= (level * normal.abs())[stopped] + 1e-9).all()


@pytest.mark.parametrize("norm", NORMS)
def test_without_a_box_the_length_is_the_residual_over_the_dual_norm(norm):
    residual, normal, _ = _problem(3, 7, 0.5)
    moved = to_hyperplane(residual, normal, torch.full_like(normal, torch.inf), norm)
    dual = torch.linalg.vector_norm(normal, {"l1": torch.inf, "l2": 2, "linf": 1}[norm], dim=1)
    torch.testing.assert_close(torch.linalg.vector_norm(moved, ORDER[norm], dim=1), residual.abs() / dual)
    torch.testing.assert_close((normal * moved).sum(dim=1), -residual)


@pytest.mark.parametrize("norm", NORMS)
def test_a_plane_out_of_reach_sends_every_coordinate_to_its_end(norm):
    residual, normal, room = _problem(4, 6, 1.5)
    moved = to_hyperplane(residual, normal, room, norm).abs()
    torch.testing.assert_close(moved, torch.where(normal != 0, room, moved))


def _linear(norm, classes):
    """A linear classifier, samples, and the distances of their nearest errors."""
    graph = closed_forms.linear(classes, 8, seed=3)
    clean = graphs.random(20, 8, seed=4, dtype=torch.float64)
    labels = graph(clean).argmax(dim=1)
    rows = closed_forms.weights(graph)
    dual = torch.linalg.vector_norm(rows[labels][:, None] - rows, {"l1": torch.inf, "l2": 2, "linf": 1}[norm], dim=2)
    logits = graph(clean)
    ratio = ((logits.gather(1, labels[:, None]) - logits) / dual).scatter(1, labels[:, None], torch.inf)
    return graph, clean, labels, ratio.amin(dim=1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("classes", [2, 4])
def test_the_nearest_error_of_a_linear_classifier_is_found(norm, classes):
    graph, clean, labels, distance = _linear(norm, classes)
    ball, noise = Ball(norm=norm, eps=100.0), Noise(seed=0, stage="fab", indices=tuple(range(20)))
    (found,) = Fab(steps=20, rivals=classes - 1).perturb(graph, clean, labels, ball, noise)
    assert (graph(found).argmax(dim=1) != labels).all()
    assert (ball.distance(found, clean) <= 1.01 * distance).all()


@pytest.mark.parametrize("norm", NORMS)
def test_an_error_just_inside_the_ball_is_reached_by_the_secant(norm):
    graph, clean, labels, distance = _linear(norm, 4)
    for row in range(5):
        one = slice(row, row + 1)
        ball, noise = Ball(norm=norm, eps=1.0001 * float(distance[row])), Noise(seed=0, stage="fab", indices=(row,))
        (found,) = Fab(steps=5, rivals=3).perturb(graph, clean[one], labels[one], ball, noise)
        assert ball.contains(found, clean[one]).all()
        assert float(margins(graph(found), labels[one])) <= 1e-9


@pytest.mark.parametrize("bad", [{"steps": 0}, {"rivals": 0}, {"pull": 2.0}, {"back": 0.0}, {"overshoot": 0.5}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="got"):
        Fab(**bad)
