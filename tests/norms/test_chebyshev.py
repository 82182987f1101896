"""The random-start certificate: its rate of failure, its account of rounding, and its place beside proofs."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from lipcert.norms import RANDOMISED, UPPERS, Task, base, chebyshev, spectral_norm
from lipcert.norms.chebyshev import Chebyshev, Plan, Recurrence, growth, luck, make_plan, starts_of
from lipcert.operators import (
    AdjointOperator,
    BlockDiagonalOperator,
    CompositionOperator,
    ConvolutionOperator,
    DenseOperator,
    DiagonalOperator,
    materialise,
)
from lipcert.records import Soundness
from tests.norms.configurations import configuration
from tests.operator_examples import random


def truth(operator) -> float:
    return float(torch.linalg.matrix_norm(materialise(operator), 2))


def spread(size: int, top: float = 1.0) -> DiagonalOperator:
    """A diagonal with one entry `top`, the others evenly spread over (0, 1)."""
    values = torch.arange(1, size, dtype=torch.float64) / size
    return DiagonalOperator(torch.cat([torch.tensor([top], dtype=torch.float64), values]), torch.Size([size]))


def plan(operator, *, below: float, claim: float, starts: int, failure: float, steps: int | None = None) -> Plan:
    """A test of `claim` with an interval that ends at `below`."""
    rate = math.log(growth(4.0 / below**2, claim)[0])
    length, threshold = math.sqrt(starts * operator.in_size / 3), luck(starts, failure)
    steps = steps or math.ceil(math.log(2 * length / threshold) / rate)
    return Plan(scale=1.0, factor=4.0 / below**2, guess=claim, starts=starts, steps=steps, luck=threshold)


def bound(operator, chosen: Plan, seed: int = 0) -> float:
    rounding = base.gamma(operator.terms + 2) * base.magnitude(operator)
    return Recurrence(operator, chosen, rounding, seed).bound()


@pytest.mark.parametrize("seed", range(24))
def test_it_holds_the_norm_of_random_convolutions(seed):
    operator = configuration(1000 + seed)
    value = truth(operator)
    for below in (1e-6, 1e-2, 0.3):
        end = Chebyshev().end(operator, Task(lower=value * (1 - below), seed=seed))
        assert end.value >= value
        assert end.soundness is Soundness.PROBABILISTIC
        assert 0 < end.failure_probability <= 1e-14


@pytest.mark.parametrize(("effort", "gap"), [("default", 1e-2), ("high", 1e-3)])
@pytest.mark.parametrize("turned", [False, True])
def test_it_reaches_the_gap_from_a_good_lower_end(effort, gap, turned):
    operator = ConvolutionOperator(
        random(6, 5, 3, 3), (12, 12), stride=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1)
    )
    operator = AdjointOperator(operator) if turned else operator
    value = truth(operator)
    end = Chebyshev().end(operator, Task(effort=effort, lower=value * (1 - 1e-6)))
    assert value <= end.value <= value * (1 + gap)


@pytest.mark.parametrize("starts", [1, 2, 3])
def test_false_claims_are_confirmed_no_more_often_than_stated(starts):
    """Claims below the norm, 500 seeds at a failure probability of 0.05; a shorter test would be fooled more often."""
    failure, runs, size, top = 0.05, 500, 24, 1.05
    operator = spread(size, top)
    chosen = plan(operator, below=1.0, claim=top * (1 - 1e-9), starts=starts, failure=failure)
    false = sum(bound(operator, chosen, seed) < top for seed in range(runs))
    assert binom.sf(false - 1, runs, failure) > 1e-6
    # The test has power: with a luck ten times larger than is due, false confirmations are common.
    greedy = Plan(
        scale=1.0, factor=chosen.factor, guess=chosen.guess, starts=starts, steps=chosen.steps, luck=10 * chosen.luck
    )
    wrong = sum(bound(operator, greedy, seed) < top for seed in range(100))
    assert binom.sf(wrong - 1, 100, failure) < 1e-6


@pytest.mark.parametrize("starts", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", ["unit", "pair", "flat"])
def test_luck_bounds_the_small_ball_of_the_cube(starts, shape):
    """Ball's section of the cube is largest for two equal entries, where the bound is sharp for one start."""
    vector = {"unit": [1.0], "pair": [0.5**0.5] * 2, "flat": [0.1] * 100}[shape]
    direction = torch.tensor(vector, dtype=torch.float64)
    generator, runs, failure = torch.Generator().manual_seed(7), 40_000, 0.02
    draws = 2 * torch.rand(runs, starts, len(vector), generator=generator, dtype=torch.float64) - 1
    rate = int(((draws @ direction).norm(dim=1) <= luck(starts, failure)).sum())
    assert binom.sf(rate - 1, runs, failure) > 1e-6
    if starts == 1 and shape == "pair":
        assert binom.cdf(rate, runs, failure) > 1e-4


def test_starts_are_the_integers_they_are_said_to_be():
    operator = DenseOperator(random(3, 1000))
    vectors = starts_of(operator, 2, seed=3)
    whole = vectors * 2.0**53
    assert torch.equal(whole, whole.round())
    assert vectors.abs().max() <= 1
    assert torch.equal(vectors, starts_of(operator, 2, seed=3))
    assert abs(float(vectors.square().mean()) - 1 / 3) < 0.03
    assert abs(float((whole.to(torch.int64) & 1).double().mean()) - 0.5) < 0.05


@settings(max_examples=200, deadline=None)
@given(st.floats(0.5, 2.0), st.floats(1e-12, 1.0))
def test_growth_is_below_the_exact_one(end, above):
    factor, guess = 4.0 / end**2, end * (1 + above)
    rate, root = growth(factor, guess)
    exact = Fraction(factor) * Fraction(guess) ** 2 / 2 - 1
    if exact <= 1:
        assert (rate, root) == (1.0, 0.0)
        return
    # cosh is increasing, so y is below e^f exactly if (y + 1 / y) / 2 is below cosh(f).
    assert (Fraction(rate) + 1 / Fraction(rate)) / 2 <= exact
    assert Fraction(root) ** 2 <= exact**2 - 1
    if above > 1e-6:
        assert float(exact) <= (rate + 1 / rate) / 2 * (1 + 1e-9)


def test_the_account_covers_the_rounding_of_the_recurrence():
    """u'T_k in floating point against exact rational arithmetic with the same integers."""
    operator, top = spread(6, 1.25), Fraction(5, 4)
    chosen = plan(operator, below=1.0, claim=1.25, starts=2, failure=1e-6, steps=40)
    recurrence = Recurrence(operator, chosen, base.gamma(operator.terms + 2) * base.magnitude(operator), seed=5)
    before, now = [Fraction(0)] * 2, [Fraction(float(v)) for v in recurrence.now[:, 0]]
    x = Fraction(chosen.factor) / 2 * top**2 - 1
    for step in range(1, 41):
        before, now = now, [(1 if step == 1 else 2) * x * a - b for a, b in zip(now, before, strict=True)]
        recurrence._advance(step)
        error = max(abs(Fraction(float(v)) - a) for v, a in zip(recurrence.now[:, 0], now, strict=True))
        # T_k(x) D bounds the error, and T_k(x) <= y^k.
        assert error <= Fraction(recurrence.drift) * 2 * Fraction(recurrence.power)


def test_the_account_notices_a_coarse_operator():
    """Entries disturbed by as much as `terms` allows must cost certificates when nothing else changed."""
    operator = spread(50)
    chosen = plan(operator, below=1.0, claim=1.01, starts=1, failure=1e-9)
    fine = Recurrence(operator, chosen, 1e-16, 0)
    coarse = Recurrence(operator, chosen, 1e-10, 0)
    assert fine.bound() == 1.01
    assert coarse.bound() > 1.01


def test_more_starts_are_drawn_where_rounding_is_coarse():
    operator = spread(1000)
    few, many = (make_plan(operator, Task(lower=0.99), rounding) for rounding in (1e-15, 1e-7))
    assert few.starts < many.starts
    assert many.luck > few.luck


@pytest.mark.parametrize("exponent", [-300, -150, 150, 300])
def test_scale_does_not_matter(exponent):
    unit = Chebyshev().end(DenseOperator(random(30, 40)), Task(lower=truth(DenseOperator(random(30, 40)))))
    scaled = DenseOperator(random(30, 40) * 2.0**exponent)
    found = Chebyshev().end(scaled, Task(lower=truth(DenseOperator(random(30, 40))) * 2.0**exponent))
    assert math.isclose(found.value, unit.value * 2.0**exponent, rel_tol=1e-12)


@pytest.mark.parametrize("lower", [0.0, 1e-200, 1e200])
def test_no_claim_without_a_usable_lower_end(lower):
    assert Chebyshev().end(spread(10), Task(lower=lower)).value == math.inf


def test_a_claim_far_below_the_norm_is_never_confirmed():
    for seed in range(20):
        assert Chebyshev().end(spread(30), Task(lower=0.4, seed=seed)).value >= 1.0


def test_the_dispatcher_keeps_proofs_that_are_good_enough_and_names_those_that_are_not(monkeypatch):
    monkeypatch.setattr(base, "ENCLOSURES", {})
    loose = ConvolutionOperator(random(3, 3, 3, 3), (5, 5), stride=(1, 1), padding=((1, 1),) * 2, dilation=(1, 1))
    found, fast = spectral_norm(loose, effort="high"), spectral_norm(loose, effort="fast")
    assert fast.soundness is Soundness.PROVED
    assert fast.failure_probability == 0.0
    assert found.lower <= truth(loose) <= found.upper
    assert found.soundness is Soundness.PROBABILISTIC
    assert "chebyshev" in found.method
    assert "proved" in found.method
    tight = ConvolutionOperator(random(3, 3, 1, 1).abs(), (5, 5), stride=(1, 1), padding=((0, 0),) * 2, dilation=(1, 1))
    assert spectral_norm(tight, effort="high").soundness is Soundness.PROVED


def test_blocks_share_the_probability_and_say_so(monkeypatch):
    """The widest block is proved, a smaller one is not: the answer stands on both."""
    monkeypatch.setattr(base, "ENCLOSURES", {"blocks": base.ENCLOSURES["blocks"]})
    easy = DiagonalOperator(torch.full((4,), 3.0, dtype=torch.float64), torch.Size([4]))
    hard = DenseOperator(random(4, 4) / 10)
    found = spectral_norm(BlockDiagonalOperator([easy, hard]), effort="high", failure=1e-13)
    assert found.soundness is Soundness.PROBABILISTIC
    assert 0 < found.failure_probability <= 1e-13
    assert math.isclose(found.upper, 3.0, rel_tol=1e-9)


def test_proofs_alone_are_given_where_asked(monkeypatch):
    monkeypatch.setattr(base, "ENCLOSURES", {})
    operator = DenseOperator(random(4, 4))
    assert spectral_norm(operator, effort="high").soundness is Soundness.PROBABILISTIC
    assert spectral_norm(operator, effort="high", failure=0.0).soundness is Soundness.PROVED
    chain = CompositionOperator([operator, operator])
    found = UPPERS["product"]().end(chain, Task(effort="high"))
    assert found.soundness is Soundness.PROVED
    assert found.failure_probability == 0.0


def test_randomised_methods_are_a_family_of_their_own():
    assert list(RANDOMISED) == ["chebyshev"]
    assert chebyshev.Chebyshev not in list(base.UPPERS.values())
