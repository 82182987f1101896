"""Brackets, and what happens when an attack and a certificate contradict each other."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from lipcert.analyses.brackets import close_bracket, population_risk, reconcile, risk_lower, risk_upper
from lipcert.attacks import Ball, Outcome
from lipcert.errors import EnclosureError
from tests import graphs

BALL = Ball(norm="l2", eps=0.5)


def test_clopper_pearson_values():
    assert risk_upper(0, 100, 0.05) == pytest.approx(0.029513, abs=1e-6)
    assert risk_upper(5, 100, 0.05) == pytest.approx(0.102253, abs=1e-6)
    assert risk_upper(7, 7, 0.05) == 1
    assert risk_lower(0, 7, 0.05) == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data(), st.floats(1e-6, 0.4))
def test_ends_invert_the_binomial_tails(samples, data, delta):
    errors = data.draw(st.integers(0, samples))
    upper, lower = risk_upper(errors, samples, delta), risk_lower(errors, samples, delta)
    assert lower <= errors / samples <= upper
    if errors < samples:
        assert binom.cdf(errors, samples, upper) == pytest.approx(delta, rel=1e-6)
    if errors:
        assert binom.sf(errors - 1, samples, lower) == pytest.approx(delta, rel=1e-6)


def test_a_bracket_splits_the_samples_three_ways():
    certified, broken = torch.tensor([True, True, False, False]), torch.tensor([False, False, True, False])
    bracket = close_bracket(certified, broken, norm="l2", eps=0.5, eps_space="data units")
    assert (bracket.certified_accuracy, bracket.robust_accuracy, bracket.undecided) == (0.5, 0.75, 0.25)
    assert bracket.population_risk == population_risk(1, 2, 4)
    assert bracket.population_risk.lower == pytest.approx(risk_lower(1, 4, 0.025))


def test_the_clean_case_has_equal_ends():
    broken = torch.tensor([True, False, False])
    bracket = close_bracket(~broken, broken, norm="l2", eps=0.0, eps_space="data units")
    assert bracket.certified_accuracy == bracket.robust_accuracy
    assert bracket.undecided == 0


def test_more_certified_than_unbroken_is_an_error():
    with pytest.raises(EnclosureError):
        close_bracket(torch.tensor([True]), torch.tensor([True]), norm="l2", eps=0.5, eps_space="data units")


def _outcome(points, margin):
    return Outcome(
        inputs=points, margin=margin, loss=torch.zeros_like(margin), found=("clean", "pgd-margin in l2 0.5, seed 7")
    )


def _difference_graph():
    """Logits (x, 0): right for label 0 exactly where x > 0."""
    return graphs.mlp_of([(torch.tensor([[1.0], [0.0]]), torch.zeros(2))])


def test_a_certified_sample_that_errs_in_real_arithmetic_is_reported_with_its_reproducer():
    outcome = _outcome(torch.tensor([[1.0], [-0.1]]), torch.tensor([1.0, -0.1]).double())
    with pytest.raises(EnclosureError, match=r"sample 1 .*l2 0\.5.*pgd-margin in l2 0\.5, seed 7"):
        reconcile(torch.tensor([True, True]), outcome, BALL, _difference_graph(), torch.zeros(2, dtype=torch.long))


def test_a_sample_that_only_float32_flips_is_no_longer_certified():
    outcome = _outcome(torch.tensor([[1.0], [1e-3]]), torch.tensor([1.0, -1e-9]).double())
    kept = reconcile(torch.tensor([True, True]), outcome, BALL, _difference_graph(), torch.zeros(2, dtype=torch.long))
    assert kept.tolist() == [True, False]


def test_without_a_clash_nothing_changes():
    certified = torch.tensor([True, False])
    outcome = _outcome(torch.tensor([[1.0], [-1.0]]), torch.tensor([1.0, -1.0]).double())
    assert reconcile(certified, outcome, BALL, _difference_graph(), torch.zeros(2, dtype=torch.long)) is certified
