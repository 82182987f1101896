"""Gaps between training and test samples, and their intervals."""

import pytest
import torch

from lipcert.analyses.jacobian import measure_jacobians
from lipcert.analyses.jacobian.gaps import gap, gap_records
from tests import graphs

BALLS = (("l2", 0.1), ("linf", 0.01))


def _measured(seed, *, count=30, labelled=True):
    graph, inputs = graphs.mlp(5, 12, 4), graphs.random(count, 5, seed=seed)
    labels = torch.arange(count) % 4 if labelled else None
    return graph, measure_jacobians(graph, inputs, labels)


def test_the_same_samples_have_no_gap():
    _, measured = _measured(1)
    for record in gap_records(measured, measured, BALLS):
        assert record.gap == 0
        assert record.train == record.test
        assert record.ci95[0] < 0 < record.ci95[1]


def test_every_mean_is_that_of_its_samples():
    graph, train = _measured(1, count=25)
    _, test = _measured(2)
    found = {record.quantity: record for record in gap_records(train, test, BALLS)}
    assert {"clean_loss", "clean_accuracy", "spectral_norm", "pairwise l2 0.1", "first_order linf 0.01"} <= set(found)
    labels = torch.arange(25) % 4
    logits = graph(graphs.random(25, 5, seed=1)).double()
    assert found["clean_loss"].train == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, labels)), rel=1e-5
    )
    assert found["clean_accuracy"].train == pytest.approx(float((logits.argmax(1) == labels).double().mean()))
    for record in found.values():
        assert record.gap == pytest.approx(record.test - record.train)
        assert record.ci95[0] <= record.gap <= record.ci95[1]


def test_without_labels_only_norms_are_compared():
    _, train = _measured(1, labelled=False)
    _, test = _measured(2)
    names = {record.quantity for record in gap_records(train, test, BALLS)}
    assert "spectral_norm" in names
    assert not names & {"clean_loss", "clean_accuracy", "pairwise l2 0.1"}


def test_the_interval_covers_about_as_often_as_it_says():
    """Two samples of a known difference of means, 200 times: 95 % of intervals hold it, but for chance."""
    hits = 0
    for trial in range(200):
        train = graphs.random(60, seed=2 * trial, dtype=torch.float64)
        test = graphs.random(80, seed=2 * trial + 1, dtype=torch.float64) * 2 + 0.5
        low, high = gap("value", train, test, seed=trial).ci95
        hits += low <= 0.5 <= high
    assert 178 <= hits <= 199


def test_a_gap_of_constants_is_certain():
    record = gap("value", torch.full((5,), 2.0), torch.full((7,), 3.0))
    assert (record.gap, record.ci95) == (1.0, (1.0, 1.0))
