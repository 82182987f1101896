"""The random search in windows: canvases, proposals, and what it reaches without a gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.attacks.base import Ball, Noise
from lipcert.attacks.engine import Target, run_attack, score_clean
from lipcert.attacks.square import Square
from lipcert.attacks.square.canvas import Canvas, place, window_sides
from lipcert.attacks.square.masses import dipole
from tests import graphs
from tests.attacks import closed_forms

SHAPES = [(5,), (1,), (4, 6), (1, 5, 7), (3, 4, 4), (7, 5, 3), (2, 3, 2, 2)]
RANGES = [None, (0.0, 1.0)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_lifting_undoes_laying(shape):
    samples = graphs.random(3, *shape)
    picture = Canvas(shape).lay(samples)
    assert picture.ndim == 4
    assert torch.equal(Canvas(shape).lift(picture), samples)


def test_channels_are_found_on_either_side():
    assert Canvas((3, 8, 6)).lay(torch.zeros(1, 3, 8, 6)).shape == (1, 3, 8, 6)
    assert Canvas((8, 6, 3)).lay(torch.zeros(1, 8, 6, 3)).shape == (1, 3, 8, 6)
    assert Canvas((9,)).lay(torch.zeros(1, 9)).shape == (1, 1, 1, 9)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(1e-4, 1.0))
def test_windows_fit_and_have_about_their_share(rows, columns, share):
    tall, wide = window_sides(rows, columns, share)
    assert 1 <= tall <= rows
    assert 1 <= wide <= columns
    if share == 1.0:
        assert (tall, wide) == (rows, columns) or min(rows, columns) < max(rows, columns)


@given(st.integers(1, 9), st.integers(0, 9), st.floats(0, 1, exclude_max=True))
def test_a_window_is_placed_inside(side, room, corner):
    first = place(torch.tensor([corner]), side, side + room)
    assert 0 <= int(first) <= room


@pytest.mark.parametrize("sides", [(1, 1), (1, 4), (3, 3), (4, 5), (6, 2)])
def test_a_dipole_has_two_signs_and_no_zero(sides):
    shape = dipole(*sides)
    assert shape.shape == sides
    assert (shape != 0).all()
    assert (shape > 0).any()
    assert bool((shape < 0).any()) == (sides[0] > 1)


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
@pytest.mark.parametrize("limits", RANGES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_is_asked_of_the_classifier_is_in_the_ball(norm, limits, shape):
    clean = graphs.uniform(4, *shape, seed=1)
    ball = Ball(norm=norm, eps=0.3, input_range=limits)
    weight = graphs.random(clean[0].numel(), 3, seed=2)
    asked = []

    def classify(points):
        asked.append(points)
        return points.flatten(1) @ weight

    labels = classify(clean).argmax(dim=1)
    noise = Noise(seed=0, stage="square", indices=tuple(range(4)))
    result = Square(queries=60).perturb(classify, clean, labels, ball, noise)
    assert ball.contains(result[0], clean).all()
    for points in asked[1:]:
        if len(points) == len(clean):
            assert (ball.distance(points, clean) <= ball.eps * (1 + 1e-5)).all()


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 8), st.integers(0, 99))
def test_linf_search_finds_the_least_margin_of_two_linear_classes(features, seed):
    """It may stop at the first error, so the least margin is asked for where it is positive."""
    graph = closed_forms.linear(2, features, seed=seed)
    clean = graphs.random(5, features, seed=seed, dtype=torch.float64)
    labels = graph(clean).argmax(dim=1)
    target, ball = closed_forms.target_of(graph, clean, labels), Ball(norm="linf", eps=0.1)
    least = closed_forms.least_margin(graph, clean, labels, "linf", 0.1)
    worst = run_attack(target, Square(queries=600), ball, score_clean(target), seed=seed)
    robust = least > 1e-9
    torch.testing.assert_close(worst.margin[robust], least[robust], rtol=0, atol=1e-6)
    assert (worst.margin[least < -1e-9] <= 0).all()


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_no_gradient_is_needed(norm):
    """Rounded inputs have no gradient anywhere, and errors all the same."""
    weight = graphs.random(16, 3, seed=1)
    classify = lambda x: (x.flatten(1) * 8).round() / 8 @ weight  # noqa: E731
    clean = graphs.uniform(20, 1, 4, 4)
    target = Target(classify=classify, scorer=classify, clean=clean, labels=classify(clean).argmax(dim=1))
    eps = {"linf": 0.4, "l2": 1.6, "l1": 4.0}[norm]
    worst = run_attack(target, Square(queries=400), Ball(norm=norm, eps=eps), score_clean(target), seed=0)
    assert worst.accuracy < 0.5


def test_a_sample_searches_alike_in_any_company():
    graph = graphs.conv()
    clean = graphs.uniform(9, 2, 6, 6)
    target = closed_forms.target_of(graph, clean, graph(clean).argmax(dim=1))
    ball = Ball(norm="l2", eps=0.6)
    whole, split = (
        run_attack(target, Square(queries=80), ball, score_clean(target), seed=1, batch_size=n) for n in (9, 2)
    )
    torch.testing.assert_close(whole.margin, split.margin, rtol=1e-4, atol=1e-4)
