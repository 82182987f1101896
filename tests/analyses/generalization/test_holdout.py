"""Brackets from fresh samples: against scipy's exact test, and simulated draws."""

import math

import mpmath
import pytest
import torch
from scipy import stats

from lipcert.analyses.generalization import Counts, holdout_records
from lipcert.analyses.generalization.holdout import NAMES, band_bracket, exact_bracket
from lipcert.records import Soundness


def counts(broken, uncertified, samples, ball=None):
    return Counts(ball=ball, samples=samples, broken=broken, uncertified=uncertified)


@pytest.mark.parametrize("samples", [1, 2, 10, 97, 1000])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 1e-3])
def test_ends_are_those_of_the_exact_binomial_test(samples, alpha):
    for errors in sorted({0, 1, samples // 3, samples - 1, samples}):
        expected = stats.binomtest(errors, samples).proportion_ci(1 - alpha, method="exact")
        lower, upper = exact_bracket(counts(errors, errors, samples), alpha)
        assert lower == pytest.approx(expected.low, rel=1e-6, abs=1e-12)  # scipy solves for it
        assert upper == pytest.approx(expected.high, rel=1e-6)
    assert exact_bracket(counts(0, samples, samples), alpha) == (0.0, 1.0)


@pytest.mark.parametrize("samples", [1, 7, 60, 450])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 1e-6])
def test_the_tails_at_the_ends_are_no_heavier_than_promised(samples, alpha):
    """Binomial tails in 60 digits at the ends as floats: neither end is on the wrong side by a rounding."""
    with mpmath.workdps(60):
        for errors in sorted({0, 1, samples // 3, samples - 1, samples}):
            lower, upper = (mpmath.mpf(end) for end in exact_bracket(counts(errors, errors, samples), alpha))
            mass = [mpmath.binomial(samples, k) for k in range(samples + 1)]
            if errors < samples:
                few = mpmath.fsum(mass[k] * upper**k * (1 - upper) ** (samples - k) for k in range(errors + 1))
                assert few <= mpmath.mpf(alpha) / 2
                assert few >= mpmath.mpf(alpha) / 2 * mpmath.mpf("0.99")
            if errors > 0:
                many = mpmath.fsum(
                    mass[k] * lower**k * (1 - lower) ** (samples - k) for k in range(errors, samples + 1)
                )
                assert many <= mpmath.mpf(alpha) / 2


def test_one_sided_values():
    assert exact_bracket(counts(0, 0, 100), 0.1)[1] == pytest.approx(0.029513, abs=5e-7)
    assert exact_bracket(counts(5, 5, 100), 0.1)[1] == pytest.approx(0.102253, abs=5e-7)
    assert exact_bracket(counts(0, 0, 100), 0.1)[1] == pytest.approx(1 - 0.05 ** (1 / 100))


@pytest.mark.parametrize("risk", [0.02, 0.15, 0.5])
def test_the_true_risk_is_inside_as_often_as_promised(risk):
    """Of 2,000 draws of 200 samples; four standard deviations are allowed below the promise."""
    draws, samples, alpha = 2000, 200, 0.1
    generator = torch.Generator().manual_seed(3)
    errors = (torch.rand(draws, samples, generator=generator) < risk).sum(dim=1).tolist()
    ends = {k: exact_bracket(counts(k, k, samples), alpha) for k in set(errors)}
    inside = sum(ends[k][0] <= risk <= ends[k][1] for k in errors)
    assert inside / draws >= 1 - alpha - 4 * math.sqrt(alpha * (1 - alpha) / draws)
    assert inside / draws >= 1 - alpha


def test_brackets_of_all_radii_hold_together_as_often_as_promised():
    """Distances to the nearest error are exponential; the risk at eps is their distribution function."""
    draws, samples, alpha, radii = 2000, 100, 0.1, (0.1, 0.3, 0.6, 1.0, 2.0)
    distance = -torch.rand(draws, samples, generator=torch.Generator().manual_seed(4)).log()
    errors = torch.stack([(distance <= eps).sum(dim=1) for eps in radii], dim=1).tolist()
    truth = [1 - math.exp(-eps) for eps in radii]
    for bracket, level in ((exact_bracket, alpha / len(radii)), (band_bracket, alpha)):
        ends = {k: bracket(counts(k, k, samples), level) for k in range(samples + 1)}
        held = sum(all(ends[k][0] <= risk <= ends[k][1] for k, risk in zip(row, truth, strict=True)) for row in errors)
        assert held / draws >= 1 - alpha


ROWS = (counts(3, 3, 200), counts(10, 30, 200, ("linf", 0.1)), counts(20, 200, 200, ("l2", 1.0)))


def test_statements_about_more_are_wider():
    found = holdout_records(ROWS, confidence=0.95, split="test")
    by_way = {name: [one for one in found if one.bound == name] for name in NAMES}
    for alone, union in zip(by_way[NAMES[0]], by_way[NAMES[1]], strict=True):
        assert union.lower <= alone.lower
        assert union.terms["upper"] >= alone.terms["upper"]
    assert [one.vacuous for one in by_way[NAMES[0]]] == [False, False, True]
    assert all(one.soundness is Soundness.PROBABILISTIC and one.guarantee for one in found)


def test_one_row_has_no_simultaneous_bracket():
    assert [one.bound for one in holdout_records(ROWS[:1], confidence=0.95, split="unknown")] == [NAMES[0]]


def test_training_samples_guarantee_nothing():
    found = holdout_records(ROWS, confidence=0.95, split="train")
    assert all(one.soundness is Soundness.HEURISTIC and not one.guarantee for one in found)
    assert all("training" in one.assumptions[0] for one in found)
