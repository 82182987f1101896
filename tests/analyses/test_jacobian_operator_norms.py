"""(p, q) norms of matrices against enumeration, closed forms and each other."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.jacobian.base import conjugate, vector_norm
from lipcert.analyses.jacobian.duality import dual, power_method
from lipcert.analyses.jacobian.induced import operator_norm, upper_norm
from tests import graphs

INF = math.inf
EXPONENTS = st.one_of(st.sampled_from([1.0, 2.0, INF]), st.floats(1.0, 8.0), st.floats(1.0, 1.02))


def _matrices(count, classes, features, seed):
    return graphs.random(count, classes, features, seed=seed, dtype=torch.float64)


def _corners(size):
    return torch.tensor(list(itertools.product((1.0, -1.0), repeat=size)), dtype=torch.float64)


def _unit_ball(features, p, seed):
    points = graphs.random(500, features, seed=seed, dtype=torch.float64)
    return points / vector_norm(points, p)[:, None]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 999))
def test_enumerated_and_closed_norms_are_exact(classes, features, seed):
    matrices = _matrices(2, classes, features, seed)
    signs, cube = _corners(classes), _corners(features)
    expected = {
        (INF, 1.0): (matrices @ cube.T).abs().sum(dim=1).amax(dim=1),
        (INF, 2.0): (matrices @ cube.T).norm(dim=1).amax(dim=1),
        (2.0, 1.0): (signs @ matrices).norm(dim=2).amax(dim=1),
        (3.0, 1.0): vector_norm(signs @ matrices, 1.5).amax(dim=1),
        (1.0, 2.0): matrices.norm(dim=1).amax(dim=1),
        (1.0, 1.0): torch.linalg.matrix_norm(matrices, 1),
        (2.0, 2.0): torch.linalg.matrix_norm(matrices, 2),
        (INF, INF): torch.linalg.matrix_norm(matrices, INF),
        (1.0, INF): matrices.abs().amax(dim=(1, 2)),
        (2.0, INF): matrices.norm(dim=2).amax(dim=1),
    }
    for (p, q), value in expected.items():
        found = operator_norm(matrices, p, q)
        assert found.exact
        torch.testing.assert_close(found.lower, value, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found.upper, value, rtol=1e-12, atol=1e-12)
        assert (power_method(matrices, p, q) <= value * (1 + 1e-12)).all()
        assert (upper_norm(matrices, p, q) >= value).all()


@settings(max_examples=60, deadline=None)
@given(EXPONENTS, EXPONENTS, st.integers(1, 6), st.integers(1, 20), st.integers(0, 999))
def test_no_vector_exceeds_the_upper_end_nor_falls_outside(p, q, classes, features, seed):
    matrices = _matrices(2, classes, features, seed)
    found = operator_norm(matrices, p, q)
    reached = vector_norm(matrices @ _unit_ball(features, p, seed).T, q, dim=1).amax(dim=1)
    assert (reached <= found.upper * (1 + 1e-12)).all()
    assert (found.lower <= found.upper).all()
    assert (reached <= found.lower * 1.05).all(), "random vectors find more than the power method"


@settings(max_examples=40, deadline=None)
@given(EXPONENTS, EXPONENTS, st.integers(0, 999), st.floats(1e-30, 1e30))
def test_norms_scale_with_the_matrix_and_with_its_transpose(p, q, seed, factor):
    matrices = _matrices(2, 3, 5, seed)
    one, scaled = operator_norm(matrices, p, q), operator_norm(matrices * factor, p, q)
    torch.testing.assert_close(scaled.upper, one.upper * factor, rtol=1e-9, atol=0)
    torch.testing.assert_close(scaled.lower, one.lower * factor, rtol=1e-2, atol=0)
    other = operator_norm(matrices.mT.contiguous(), conjugate(q), conjugate(p))
    assert (other.lower <= one.upper * (1 + 1e-9)).all()
    assert (one.lower <= other.upper * (1 + 1e-9)).all()


@pytest.mark.parametrize("p", [1.0, 1.001, 1.5, 2.0, 3.0, 40.0, INF])
def test_a_dual_vector_attains_the_dual_norm(p):
    slopes = graphs.random(50, 7, dtype=torch.float64)
    best = dual(slopes, p)
    assert (vector_norm(best, p) <= 1 + 1e-12).all()
    torch.testing.assert_close((best * slopes).sum(dim=1), vector_norm(slopes, conjugate(p)), rtol=1e-9, atol=0)
    assert (slopes @ _unit_ball(7, p, 1).T <= vector_norm(slopes, conjugate(p))[:, None] * (1 + 1e-12)).all()


@pytest.mark.parametrize(
    ("p", "q"), [(2.0, 2.0), (INF, 2.0), (INF, 1.0), (2.0, 1.0), (3.0, 2.5), (INF, INF), (1.0, 2.0)]
)
def test_each_pass_of_the_power_method_rises(p, q):
    matrix = graphs.random(1, 5, 12, seed=3, dtype=torch.float64)
    v = dual(graphs.random(8, 12, seed=4, dtype=torch.float64), p)
    last = torch.zeros(8, dtype=torch.float64)
    for _ in range(30):
        pushed = v @ matrix[0].T
        value = vector_norm(pushed, q)
        assert (value >= last - 1e-12).all()
        v, last = dual(dual(pushed, conjugate(q)) @ matrix[0], p), value


def test_many_starts_find_spectral_norms():
    matrices = _matrices(60, 10, 80, seed=5)
    gaps = 1 - power_method(matrices, 2.0, 2.0) / torch.linalg.matrix_norm(matrices, 2)
    assert gaps.median() <= 1e-3
    assert gaps.abs().max() <= 1e-2


def test_one_nonzero_row_or_column_closes_the_enclosure():
    row, column = torch.zeros(1, 3, 20, dtype=torch.float64), torch.zeros(1, 16, 20, dtype=torch.float64)
    row[0, 1] = graphs.random(20, dtype=torch.float64)
    column[0, :, 4] = graphs.random(16, dtype=torch.float64)
    for matrix, p, q in itertools.product((row, column), (1.5, 3.0, INF), (1.0, 1.5, 2.0, 5.0)):
        found = operator_norm(matrix, p, q)
        torch.testing.assert_close(found.lower, found.upper, rtol=1e-9, atol=0)


def test_rank_one_closes_the_weighted_end():
    left, right = graphs.random(16, seed=1, dtype=torch.float64), graphs.random(30, seed=2, dtype=torch.float64)
    found = operator_norm((left[:, None] * right)[None], INF, 2.0)
    expected = (left.norm() * right.abs().sum())[None]
    torch.testing.assert_close(found.lower, expected)
    torch.testing.assert_close(found.upper, expected)


def test_a_zero_matrix_has_norm_zero():
    for p, q in itertools.product((1.0, 1.5, 2.0, INF), repeat=2):
        found = operator_norm(torch.zeros(2, 16, 20, dtype=torch.float64), p, q)
        assert found.lower.tolist() == found.upper.tolist() == [0, 0]


def test_an_exponent_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        operator_norm(torch.zeros(1, 20, 20, dtype=torch.float64), 0.5, 2.0)
