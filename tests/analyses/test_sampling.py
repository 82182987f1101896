"""Intervals and the paired test, against definitions and a second implementation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lipcert.analyses.sampling import binomial_interval, bootstrap_interval, compare_paired, sampling_record


@pytest.mark.parametrize(
    ("count", "samples", "low", "high"),
    [(235, 400, 0.538, 0.636), (590, 1000, 0.559, 0.621), (5900, 10_000, 0.580, 0.600), (0, 400, 0.0, 0.0092)],
)
def test_known_intervals(count, samples, low, high):
    assert binomial_interval(count, samples) == pytest.approx((low, high), abs=6e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_agree_with_scipy(samples, share, confidence):
    count = round(share * samples)
    exact = stats.binomtest(count, samples).proportion_ci(confidence, method="exact")
    assert binomial_interval(count, samples, confidence) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_the_bootstrap_covers_the_mean_it_should():
    generator = torch.Generator().manual_seed(1)
    draws = torch.rand(200, 80, generator=generator, dtype=torch.float64)
    hits = sum(low <= 0.5 <= high for low, high in (bootstrap_interval(values) for values in draws))
    assert 180 <= hits <= 198


def test_the_bootstrap_of_a_constant_is_a_point():
    assert bootstrap_interval(torch.full((7,), 2.0)) == (2.0, 2.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 5), st.integers(0, 5))
def test_mcnemar_agrees_with_a_sum_over_the_coin(one, other, both, neither):
    first = torch.tensor([True] * (one + both) + [False] * (other + neither), dtype=torch.bool)
    second = torch.tensor([False] * one + [True] * (both + other) + [False] * neither, dtype=torch.bool)
    record = compare_paired(first, second)
    assert (record.only_first, record.only_second, record.both, record.neither) == (one, other, both, neither)
    tosses = one + other
    tail = sum(math.comb(tosses, k) for k in range(min(one, other) + 1)) / 2**tosses
    assert record.p_value == pytest.approx(min(1.0, 2 * tail))


def test_masks_of_other_samples_are_refused():
    with pytest.raises(ValueError, match="same samples"):
        compare_paired(torch.ones(2), torch.ones(3))


def test_a_record_holds_the_figures_it_surrounds():
    right, loss = torch.arange(50) % 3 > 0, torch.linspace(0, 4, 50)
    record = sampling_record(right, loss)
    assert record.robust_accuracy[0] < float(right.double().mean()) < record.robust_accuracy[1]
    assert record.robust_loss[0] < float(loss.mean()) < record.robust_loss[1]
    assert sampling_record(right, loss) == record
