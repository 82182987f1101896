"""The arithmetic of the PAC-Bayes bound against closed forms, brute force and simulation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Bernoulli, MultivariateNormal, kl_divergence

from lipcert.analyses.generalization.posterior_bound import (
    bound_on_average,
    bound_on_error,
    coin_divergence,
    gaussian_divergence,
    largest_rate,
)

RATES = st.floats(0, 1)


@settings(max_examples=60, deadline=None)
@given(RATES, st.floats(1e-6, 1 - 1e-6))
def test_divergence_of_coins_is_that_of_torch(q: float, p: float) -> None:
    ours = coin_divergence(q, p)
    theirs = kl_divergence(*(Bernoulli(probs=torch.tensor(r, dtype=torch.float64)) for r in (q, p)))
    assert ours == pytest.approx(float(theirs), rel=1e-6, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(RATES, st.floats(0, 5))
def test_inversion_is_the_last_rate_within_the_budget(q: float, budget: float) -> None:
    found = largest_rate(q, budget)
    assert q <= found <= 1
    grid = torch.linspace(q, 1, 2001, dtype=torch.float64).tolist()
    within = [p for p in grid if coin_divergence(q, p) <= budget]
    assert found >= max(within, default=q)
    beyond = [p for p in grid if coin_divergence(q, p) > budget + 1e-9]
    assert found <= min(beyond, default=1.0)


def test_no_errors_invert_in_closed_form() -> None:
    assert largest_rate(0.0, 0.3) == pytest.approx(1 - math.exp(-0.3), rel=1e-10)
    assert largest_rate(1.0, 0.3) == 1
    assert largest_rate(0.2, math.inf) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.floats(-6, 3), st.integers(0, 1000))
def test_divergence_of_gaussians_is_just_above_that_of_torch(size: int, log_prior: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    shift, log_std = torch.randn(2, size, dtype=torch.float64, generator=generator)
    priors = torch.tensor([log_prior, log_prior + 0.5], dtype=torch.float64)
    ours = gaussian_divergence(shift, log_std, priors)
    for one, log in zip(ours, priors, strict=True):
        posterior = MultivariateNormal(shift, torch.diag((2 * log_std).exp()))
        prior = MultivariateNormal(
            torch.zeros(size, dtype=torch.float64), (2 * log).exp() * torch.eye(size, dtype=torch.float64)
        )
        theirs = float(kl_divergence(posterior, prior))
        assert theirs * (1 - 1e-13) <= float(one) <= theirs + 1e-10 * (1 + theirs)


def test_equal_gaussians_do_not_diverge() -> None:
    log_std = torch.full((50,), 0.3, dtype=torch.float64)
    assert 0 <= float(gaussian_divergence(torch.zeros(50), log_std, log_std[:1])) < 1e-11


def test_theorem_with_numbers_worked_by_hand() -> None:
    # kl(0 || p) = -log(1 - p), so the bound is 1 - exp(-(KL + log(2 sqrt(n) / delta)) / n)
    expected = 1 - math.exp(-(10 + math.log(2 * math.sqrt(400) / 0.05)) / 400)
    assert bound_on_error(0.0, 10.0, 400, 0.05) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="the theorem needs 8"):
        bound_on_error(0.0, 10.0, 7, 0.05)


def test_average_without_spread_is_bounded_by_chernoff() -> None:
    # 7 log(80) / 3 / (m - 1) of the Bernstein bound is larger
    assert bound_on_average(torch.zeros(100), 0.05) == pytest.approx(1 - math.exp(-math.log(40) / 100), rel=1e-9)


@pytest.mark.parametrize("kind", ["coins", "narrow"])
def test_average_is_covered(kind: str) -> None:
    generator, failure, mean = torch.Generator().manual_seed(3), 0.2, 0.3
    missed = 0
    for _ in range(1000):
        spread = torch.rand(60, generator=generator, dtype=torch.float64)
        values = (spread < mean).double() if kind == "coins" else mean + 0.02 * (spread - 0.5)
        missed += bound_on_average(values, failure) < mean
    assert missed <= failure * 1000


def test_bound_covers_the_true_error_of_random_thresholds() -> None:
    """Inputs uniform on [0, 1], label [x > 1/2] but wrong for a tenth; a threshold w drawn from N(mean, s^2) is wrong
    with probability 0.1 + 0.8 |w - 1/2| where w is in [0, 1]. The posterior's mean is fitted to the samples."""
    generator = torch.Generator().manual_seed(5)
    failure, samples, std, prior = 0.2, 60, 0.05, 0.3
    draws = torch.randn(400, generator=generator, dtype=torch.float64)
    missed = 0
    for _ in range(400):
        inputs = torch.rand(samples, generator=generator, dtype=torch.float64)
        labels = (inputs > 0.5) ^ (torch.rand(samples, generator=generator) < 0.1)
        grid = torch.linspace(0.1, 0.9, 17, dtype=torch.float64)
        mean = grid[((inputs > grid[:, None]) != labels).sum(1).argmin()]
        thresholds = mean + std * draws
        errors = ((inputs > thresholds[:, None]) != labels).double().mean(1)
        far = (thresholds.clamp(0, 1) - 0.5).abs().mean()
        shift = (mean - 0.5).reshape(1)
        log = [torch.tensor([math.log(s)], dtype=torch.float64) for s in (std, prior)]
        divergence = float(gaussian_divergence(shift, *log))
        upper = bound_on_error(bound_on_average(errors, failure / 2), divergence, samples, failure / 2)
        missed += upper < float(0.1 + 0.8 * far)
    assert missed <= failure * 400
    assert upper < 0.5
