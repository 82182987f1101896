"""Spreads over samples."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.base import eps_space, summarise


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_summary_holds_what_it_says(values):
    spread = summarise(torch.tensor(values, dtype=torch.float64), seed=1)
    assert (spread.samples, spread.min, spread.max) == (len(values), min(values), max(values))
    assert sum(spread.counts) == len(values)
    assert spread.mean == pytest.approx(sum(values) / len(values), rel=1e-9, abs=1e-6)
    assert min(values) - 1e-6 <= spread.ci95[0] <= spread.ci95[1] <= max(values) + 1e-6


def test_quantiles_of_a_known_sample():
    spread = summarise(torch.arange(101, dtype=torch.float64))
    assert (spread.q05, spread.median, spread.q95) == (5, 50, 95)
    assert spread.counts == (5,) * 19 + (6,)
    assert spread.std == pytest.approx(29.154759, rel=1e-6)


def test_bootstrap_interval_is_seeded_and_as_wide_as_theory():
    values = torch.randn(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    low, high = summarise(values, seed=3).ci95
    assert summarise(values, seed=3).ci95 == (low, high) != summarise(values, seed=4).ci95
    assert low < float(values.mean()) < high
    assert high - low == pytest.approx(2 * 1.96 * float(values.std()) / 20, rel=0.15)


def test_equal_values_make_one_bin():
    assert summarise(torch.full((7,), 2.0)).counts == (7,)


def test_eps_space_names_the_range():
    assert eps_space((0.0, 1.0)) == "data units, input range [0, 1], before mean/std"
    assert "not clipped" in eps_space(None)
