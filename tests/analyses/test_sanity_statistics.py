"""The tests behind the diagnosis, against scipy's distributions and by counting."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from lipcert.analyses.sanity.relabelling import Relabelling
from lipcert.analyses.sanity.significance import chance_accuracy, is_better, is_chance, tail


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.01, 0.99))
def test_the_tail_is_the_binomial_survival_function(successes, more, probability):
    trials = max(successes + more, 1)
    expected = binom.sf(successes - 1, trials, probability)
    assert abs(tail(successes, trials, probability) - expected) <= 1e-9 + 1e-6 * expected


def test_an_accuracy_is_chance_up_to_the_end_of_the_interval():
    flags = [is_chance(right, 256, 0.1) for right in range(257)]
    assert flags == sorted(flags, reverse=True)
    assert flags[26]
    assert not flags[40]
    assert not is_chance(5, 5, 0.1)


def test_expected_agreement_is_the_mean_over_all_dealings():
    predictions, labels = torch.tensor([0, 0, 1, 2, -1]), torch.tensor([0, 1, 1, 2, 0])
    table = predictions.clamp(min=0)[:, None] == labels[None, :]
    assert abs(chance_accuracy(predictions, labels, 3) - table.double().mean().item()) < 1e-12
    assert chance_accuracy(torch.zeros(4, dtype=torch.long), torch.zeros(4, dtype=torch.long), 5) == 0.2


def test_better_needs_more_gains_than_losses():
    current = torch.zeros(100, dtype=torch.bool)
    assert is_better(torch.arange(100) < 20, current, 40)
    assert not is_better(torch.arange(100) < 3, current, 40)
    assert not is_better(current, torch.arange(100) < 20, 40)
    assert not is_better(current, current, 0)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(7)), st.integers(0, 1000))
def test_any_permutation_is_found(permutation, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(7, (210,), generator=generator)
    predictions = torch.tensor(permutation)[labels]
    noisy = torch.rand(210, generator=generator) < 0.2
    predictions = torch.where(noisy, torch.randint(7, (210,), generator=generator), predictions)
    found = Relabelling(predictions, labels, 7)
    assert found.mapping.tolist() == list(permutation)
    assert found.is_better == (list(permutation) != list(range(7)))
    assert found.accuracy > 0.7


def test_predictions_without_meaning_get_no_permutation():
    false_alarms = 0
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        predictions, labels = (torch.randint(10, (256,), generator=generator) for _ in range(2))
        false_alarms += Relabelling(predictions, labels, 10).is_better
    assert false_alarms <= 3


def test_labels_that_never_occur_keep_their_class():
    found = Relabelling(torch.tensor([1, 0, 1, 0] * 20), torch.tensor([0, 1, 0, 1] * 20), 5)
    assert found.mapping.tolist() == [1, 0, 2, 3, 4]
    assert found.text() == "0 -> 1, 1 -> 0"
