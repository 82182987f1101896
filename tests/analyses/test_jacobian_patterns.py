"""The search over all sign patterns in l1, against trying each in float64."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.jacobian.patterns import largest_pattern, sign_patterns
from tests import graphs


def _tried(matrices, exponent):
    corners = torch.tensor(list(itertools.product((1.0, -1.0), repeat=matrices.shape[1])), dtype=torch.float64)
    return torch.linalg.vector_norm(corners @ matrices, exponent, dim=2).amax(dim=1)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 1100), st.integers(1, 4), st.integers(0, 999), st.sampled_from([1, 1.5, 2]))
def test_all_patterns_are_tried(rows, columns, count, seed, exponent):
    matrices = graphs.random(count, rows, columns, seed=seed, dtype=torch.float64)
    torch.testing.assert_close(largest_pattern(matrices, exponent), _tried(matrices, exponent), rtol=1e-13, atol=0)


def test_many_rows_go_block_by_block():
    matrices = graphs.random(2, 14, 700, dtype=torch.float64)
    torch.testing.assert_close(largest_pattern(matrices, 1), _tried(matrices, 1), rtol=1e-13, atol=0)


@pytest.mark.parametrize("factor", [1e-200, 1e-60, 1e60, 1e200])
def test_scale_does_not_matter(factor):
    matrices = graphs.random(3, 5, 40, dtype=torch.float64)
    expected = largest_pattern(matrices, 1) * factor
    torch.testing.assert_close(largest_pattern(matrices * factor, 1), expected, rtol=1e-12, atol=0)


def test_the_best_of_nearly_equal_patterns_is_found():
    # Every pattern gives 4, but for a last column that is far below float32's resolution.
    matrices = torch.tensor([[[2.0, 2.0, 0.0], [2.0, -2.0, 1e-12]]], dtype=torch.float64)
    assert float(largest_pattern(matrices, 1)) == 4 * 2 + 1e-12 - 4
    assert torch.equal(largest_pattern(torch.zeros(2, 3, 4, dtype=torch.float64), 1), torch.zeros(2).double())


def test_patterns_hold_one_of_each_pair():
    patterns = sign_patterns(4)
    assert patterns.shape == (8, 4)
    assert len(torch.unique(torch.cat([patterns, -patterns]), dim=0)) == 16
