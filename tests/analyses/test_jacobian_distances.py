"""First-order distances, correlations and breakdowns."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian import jacobian_record, measure_jacobians, sample_rows
from lipcert.analyses.jacobian.correlation import correlations, ranks
from lipcert.analyses.jacobian.duality import dual
from tests import graphs

DUALS = {"l2": 2.0, "linf": math.inf, "l1": 1.0}


@pytest.mark.parametrize("norm", DUALS)
def test_a_linear_net_is_indifferent_exactly_at_the_distance(norm):
    weight, bias = graphs.random(4, 6, seed=1, dtype=torch.float64), graphs.random(4, seed=2, dtype=torch.float64)
    graph, inputs = graphs.mlp_of([(weight, bias)]), graphs.uniform(10, 6, dtype=torch.float64)
    labels = graph(inputs).argmax(dim=1)
    rivals = measure_jacobians(graph, inputs, labels).columns.rivals
    distances = rivals.distances(norm)
    for k in range(4):
        rows = labels != k
        step = dual(weight[k] - weight[labels[rows]], DUALS[norm]) * distances[rows, k][:, None]
        moved = graph(inputs[rows] + step)
        torch.testing.assert_close(moved[:, k], moved.gather(1, labels[rows][:, None])[:, 0], rtol=0, atol=1e-9)
    assert (rivals.nearest(norm) == distances.amin(dim=1)).all()
    assert rivals.nearest(norm).isfinite().all()


def test_a_misclassified_sample_is_at_the_boundary_and_a_flat_one_nowhere_near():
    weight = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    graph = graphs.mlp_of([(weight, torch.tensor([1.0, 0.0]))])
    record = jacobian_record(measure_jacobians(graph, torch.rand(4, 2), torch.tensor([0, 0, 0, 1])))
    for distance in record.distances:
        assert distance.unbounded == 3
        assert distance.nearest.samples == 1
        assert distance.nearest.max == 0
        assert distance.rivals == (0.25, 0)


def test_rows_hold_one_sample_each_and_no_infinity():
    graph = graphs.mlp_of([(torch.zeros(3, 4), torch.tensor([1.0, 0.0, 0.0]))])
    rows = sample_rows(measure_jacobians(graph, torch.rand(2, 4), torch.tensor([0, 1])))
    assert [row["first_order_distance"]["l2"] for row in rows] == [None, 0]
    assert [row["zero_rows"] for row in rows] == [3, 3]
    assert rows[0]["spectral_norm"] == 0


def test_classes_have_their_own_medians():
    graph, inputs = graphs.mlp(5, 9, 3), graphs.uniform(30, 5)
    labels = torch.arange(30) % 2
    measured = measure_jacobians(graph, inputs, labels)
    classes = jacobian_record(measured).classes
    assert [(one.label, one.samples) for one in classes] == [(0, 15), (1, 15), (2, 0)]
    norms = measured.columns.norms["spectral_norm"]
    assert classes[1].medians["spectral_norm"] == pytest.approx(float(norms[labels == 1].median()))
    assert classes[2].medians == {}


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 40), st.integers(2, 50), st.integers(0, 999))
def test_rank_correlations_agree_with_scipy(count, levels, seed):
    one = (graphs.uniform(count, seed=seed, dtype=torch.float64) * levels).round()
    other = one + graphs.random(count, seed=seed + 1, dtype=torch.float64)
    other[0] = math.inf
    assert ranks(one).tolist() == stats.rankdata(one.numpy()).tolist()
    found = correlations({"one": one}, {"other": other})
    if (one == one[0]).all():
        assert found == ()
        return
    expected = stats.spearmanr(one.numpy(), ranks(other).numpy()).statistic
    assert found[0].value == pytest.approx(expected, abs=1e-12)
    assert found[0].ci95[0] <= found[0].ci95[1]


def test_order_statistics_cover_the_quantiles_as_often_as_they_say():
    generator = torch.Generator().manual_seed(0)
    hits = {"q05": 0, "median": 0, "q95": 0}
    for _ in range(300):
        found = summarise(torch.rand(120, generator=generator, dtype=torch.float64)).quantile_ci95
        for name, level in (("q05", 0.05), ("median", 0.5), ("q95", 0.95)):
            low, high = found[name]
            hits[name] += low <= level <= high
    assert min(hits.values()) >= 300 * 0.95 - 3 * math.sqrt(300 * 0.95 * 0.05)


def test_too_few_samples_give_no_interval():
    assert "q95" not in summarise(torch.rand(20)).quantile_ci95
    assert summarise(torch.rand(1)).quantile_ci95 == {}
    low, high = summarise(torch.arange(6.0)).quantile_ci95["median"]
    assert (low, high) == (0, 5)
