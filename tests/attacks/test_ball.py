"""Projection, sampling and steepest directions of balls, as laws."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.attacks import Ball, Noise
from lipcert.rounding import gamma
from tests import graphs

NORMS = st.sampled_from(["l1", "l2", "linf"])
DTYPES = st.sampled_from([torch.float32, torch.float64])
BOXES = st.sampled_from([None, (0.0, 1.0), (0.1, 0.3), (-1.0, 0.7)])


def _clean_and_points(seed: int, features: int, spread: float, dtype: torch.dtype):
    clean = 3 * graphs.uniform(4, features, seed=seed, dtype=dtype) - 1
    return clean, clean + spread * graphs.random(4, features, seed=seed + 1, dtype=dtype)


@settings(max_examples=150, deadline=None)
@given(NORMS, BOXES, DTYPES, st.integers(0, 999), st.integers(1, 300), st.floats(1e-9, 1e3), st.floats(0, 10))
def test_a_projected_point_is_inside_and_stays_put(norm, box, dtype, seed, features, spread, eps):  # noqa: PLR0917
    ball = Ball(norm=norm, eps=eps, input_range=box)
    clean, points = _clean_and_points(seed, features, spread, dtype)
    projected = ball.project(points, clean)
    assert projected.dtype == dtype
    assert ball.contains(projected, clean).all()
    assert ball.contains(clean, clean).all()
    again = ball.project(projected, clean)
    # Where the box holds all coordinates but one, that one takes up the rounding of the whole sum.
    whole_sum = 4 * gamma(features + 4) * eps if norm == "l1" else 0.0
    torch.testing.assert_close(again, projected, rtol=0, atol=12 * torch.finfo(dtype).eps + whole_sum)


@settings(max_examples=60, deadline=None)
@given(NORMS, BOXES, DTYPES, st.integers(0, 999), st.integers(1, 40), st.floats(1e-6, 2))
def test_sampled_points_are_inside(norm, box, dtype, seed, features, eps):  # noqa: PLR0917
    ball = Ball(norm=norm, eps=eps, input_range=box)
    clean, _ = _clean_and_points(seed, features, 1.0, dtype)
    points = ball.sample(clean, Noise(seed=seed, stage="test", indices=(0, 1, 2, 3)), 0)
    assert ball.contains(points, clean).all()
    assert box is not None or (points != clean).any()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([1, 2]), st.integers(0, 999), st.integers(1, 40), st.floats(1e-3, 10))
def test_containment_is_exact_in_rationals(power, seed, features, eps):
    from fractions import Fraction

    ball = Ball(norm=f"l{power}", eps=eps)
    clean, points = _clean_and_points(seed, features, 1.0, torch.float32)
    for point, start in zip(ball.project(points, clean).tolist(), clean.tolist(), strict=True):
        length = sum(abs(Fraction(p) - Fraction(s)) ** power for p, s in zip(point, start, strict=True))
        assert length <= Fraction(eps) ** power


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_points_inside_are_left_alone_and_points_outside_reach_the_rim(norm):
    ball = Ball(norm=norm, eps=0.5)
    clean = torch.zeros(2, 3, dtype=torch.float64)
    points = torch.tensor([[0.1, 0.2, -0.1], [3.0, 4.0, 0.0]], dtype=torch.float64)
    projected = ball.project(points, clean)
    assert torch.equal(projected[0], points[0])
    assert ball.distance(projected, clean)[1] == pytest.approx(0.5, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.integers(1, 30), st.floats(1e-3, 5), st.sampled_from([None, (0.0, 1.0)]))
def test_the_l1_projection_is_the_nearest_point_of_ball_and_box(seed, features, eps, box):
    """By the slow way: halving the interval that holds the amount taken off every coordinate."""
    ball = Ball(norm="l1", eps=eps, input_range=box)
    clean, points = graphs.uniform(4, features, seed=seed).double(), 2 * graphs.random(4, features, seed=seed + 1)
    delta = points.double() - clean
    room = ball.room(delta, clean)
    low, high = torch.zeros(4, 1).double(), delta.abs().amax(dim=1, keepdim=True)
    for _ in range(80):
        middle = (low + high) / 2
        size = torch.minimum((delta.abs() - middle).clamp_min(0), room)
        over = size.sum(dim=1, keepdim=True) > eps
        low, high = torch.where(over, middle, low), torch.where(over, high, middle)
    if (torch.minimum(delta.abs(), room).sum(dim=1) <= eps).any():
        inside = torch.minimum(delta.abs(), room).sum(dim=1, keepdim=True) <= eps
        size = torch.where(inside, torch.minimum(delta.abs(), room), size)
    torch.testing.assert_close(ball.project(points.double(), clean), clean + delta.sign() * size, rtol=0, atol=1e-9)


@pytest.mark.parametrize("box", [None, (0.0, 1.0)])
@pytest.mark.parametrize("norm", ["l1", "linf"])
def test_no_sampled_point_is_further_along_a_gradient(norm, box):
    ball = Ball(norm=norm, eps=1.3, input_range=box)
    clean, gradient = graphs.uniform(50, 5).double(), graphs.random(50, 5, seed=1).double()
    best = (gradient * (ball.furthest(gradient, clean) - clean)).sum(dim=1)
    for draw in range(20):
        point = ball.project(clean + 4 * graphs.random(50, 5, seed=draw + 2).double(), clean)
        assert (((gradient * (point - clean)).sum(dim=1)) <= best + 1e-9).all()


def test_a_clean_value_outside_the_range_goes_no_further_out():
    ball = Ball(norm="linf", eps=0.5, input_range=(0.0, 1.0))
    clean = torch.tensor([[1.5, -0.25, 0.5]])
    assert ball.project(clean + 1, clean).tolist() == [[1.5, 0.25, 1.0]]
    assert ball.project(clean - 1, clean).tolist() == [[1.0, -0.25, 0.0]]


@pytest.mark.parametrize(("norm", "length"), [("l1", 1.0), ("l2", 2.0), ("linf", math.inf)])
def test_steepest_has_norm_one_and_attains_the_dual_norm(norm, length):
    ball = Ball(norm=norm, eps=1.0)
    gradient = graphs.random(5, 2, 3, dtype=torch.float64)
    gradient[4] *= 1e-300
    direction = ball.steepest(gradient)
    dual = torch.linalg.vector_norm(gradient.flatten(1), {"l1": math.inf, "l2": 2.0, "linf": 1.0}[norm], dim=1)
    torch.testing.assert_close(
        torch.linalg.vector_norm(direction.flatten(1), length, dim=1)[:4], torch.ones(4).double()
    )
    torch.testing.assert_close((gradient * direction).flatten(1).sum(dim=1)[:4], dual[:4])
    assert torch.equal(ball.steepest(torch.zeros(1, 3)), torch.zeros(1, 3))


def test_zero_radius_leaves_the_clean_point():
    clean = torch.rand(3, 4)
    for norm in ("l1", "l2", "linf"):
        assert torch.equal(Ball(norm=norm, eps=0.0).project(clean + 1, clean), clean)


def test_nan_is_outside():
    ball = Ball(norm="l2", eps=1.0, input_range=(0, 1))
    assert not ball.contains(torch.full((1, 2), torch.nan), torch.zeros(1, 2)).any()


@pytest.mark.parametrize(
    "settings", [{"norm": "l0", "eps": 1.0}, {"norm": "l2", "eps": -1.0}, {"norm": "l2", "eps": math.nan}]
)
def test_bad_balls_are_refused(settings):
    with pytest.raises(ValueError, match="got"):
        Ball(**settings)


def test_noise_depends_on_the_sample_and_not_on_the_batch():
    like = torch.zeros(4, 3)
    noise = Noise(seed=1, stage="a", indices=(0, 1, 2, 3))
    whole = noise.normal(like, 0)
    assert torch.equal(noise.rows(torch.tensor([2, 0])).normal(like[:2], 0), whole[[2, 0]])
    assert not torch.equal(noise.normal(like, 1), whole)
    assert not torch.equal(Noise(seed=2, stage="a", indices=(0, 1, 2, 3)).normal(like, 0), whole)
    assert torch.equal(noise.normal(like.double(), 0), whole.double())
