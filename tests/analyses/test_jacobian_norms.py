"""Norms and spectra of Jacobians against closed forms and torch.linalg."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.jacobian import jacobian_record, measure_jacobians
from lipcert.analyses.jacobian.base import Linearised
from lipcert.analyses.jacobian.columns import columns
from lipcert.records import Skipped, Soundness
from tests import graphs


def _analyze(*arguments, **settings):
    return jacobian_record(measure_jacobians(*arguments, **settings))


def _linearised(jacobian):
    count, classes, _ = jacobian.shape
    return Linearised(
        logits=jacobian.new_zeros(count, classes), jacobian=jacobian, classes=torch.zeros(count, dtype=torch.int64)
    )


def test_toy():
    record = _analyze(graphs.toy(), torch.ones(1, 2))
    means = {name: spread.mean for name, spread in record.statistics.items()}
    expected = {
        "spectral_norm": 2.618034,
        "frobenius_norm": math.sqrt(7),
        "l1_entries": 5,
        "linf_norm": 3,
        "linf_l1_norm": 5,
        "l1_norm": 3,
        "stable_rank": 7 / 2.618034**2,
        "inverse_condition": 0.381966 / 2.618034,
        "centred_spectral_norm": 1 / math.sqrt(2),
        "centred_frobenius_norm": 1 / math.sqrt(2),
    }
    assert means == pytest.approx(expected, abs=1e-6)
    assert record.singular_spectrum == pytest.approx((2.618034, 0.381966), abs=1e-6)
    assert (record.dtype, record.soundness) == ("float64", Soundness.EXACT)
    found = {(norm.p, norm.q): (norm.lower.mean, norm.exact) for norm in record.operator_norms}
    assert found["inf", 2][0] == pytest.approx(math.sqrt(13))
    assert found["inf", 1] == (pytest.approx(5), True)
    assert found["inf", "inf"] == (pytest.approx(3), True)
    assert found[1, 2] == (pytest.approx(math.sqrt(5)), True)
    assert [distance.nearest.mean for distance in record.distances] == pytest.approx([1, 1, 1])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(1, 8), st.integers(0, 999))
def test_norms_agree_with_torch(classes, features, seed):
    jacobian = graphs.random(3, classes, features, seed=seed, dtype=torch.float64)
    found = columns(_linearised(jacobian))
    norms, linalg = found.norms, torch.linalg.matrix_norm
    torch.testing.assert_close(found.spectrum, torch.linalg.svdvals(jacobian), atol=1e-7, rtol=0)
    torch.testing.assert_close(norms["spectral_norm"], linalg(jacobian, 2), rtol=1e-12, atol=0)
    torch.testing.assert_close(norms["linf_norm"], linalg(jacobian, math.inf))
    torch.testing.assert_close(norms["l1_norm"], linalg(jacobian, 1))
    torch.testing.assert_close(norms["frobenius_norm"], linalg(jacobian))
    centre = torch.eye(classes, dtype=torch.float64) - 1 / classes
    centred = centre @ jacobian
    torch.testing.assert_close(norms["centred_spectral_norm"], linalg(centred, 2), atol=1e-7, rtol=1e-9)
    torch.testing.assert_close(norms["centred_frobenius_norm"], linalg(centred), atol=1e-12, rtol=1e-12)
    values = torch.linalg.svdvals(jacobian)
    torch.testing.assert_close(norms["inverse_condition"], values[:, -1] / values[:, 0], atol=1e-6, rtol=0)


@pytest.mark.parametrize(("dtype", "bar"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_largest_singular_value_against_a_dense_double_svd(dtype, bar):
    graph, inputs = graphs.mlp(40, 30, 10), graphs.uniform(50, 40)
    jacobian = torch.stack(
        [
            torch.autograd.functional.jacobian(lambda v: graph.to(dtype=torch.float64)(v[None])[0], row.double())
            for row in inputs
        ]
    )
    expected = torch.linalg.svdvals(jacobian)[:, 0]
    measured = measure_jacobians(graph, inputs, dtype=dtype)
    assert ((measured.columns.norms["spectral_norm"] / expected - 1).abs() <= bar).all()
    assert measured.dtype == dtype


def test_batches_make_no_difference():
    graph, inputs = graphs.conv(), graphs.uniform(7, 2, 6, 6)
    labels = torch.arange(7) % 4
    whole, split = (measure_jacobians(graph, inputs, labels, batch_size=size) for size in (7, 2))
    for name, values in whole.columns.norms.items():
        torch.testing.assert_close(split.columns.norms[name], values, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(split.probe.difference, whole.probe.difference)
    assert len(split.columns.loss) == 7


def test_constant_logits_are_plateaus():
    graph = graphs.mlp_of([(torch.zeros(3, 4), torch.ones(3))])
    record = _analyze(graph, torch.rand(2, 4), torch.tensor([0, 1]))
    assert record.statistics["stable_rank"].max == 0
    assert record.statistics["linf_l1_norm"].max == 0
    assert (record.zero_rows, record.zero_samples) == (2, 2)
    assert all(relation.holds for relation in record.functionals.relations)


def test_a_plateau_of_one_logit_is_counted():
    graph = graphs.mlp_of([(torch.tensor([[1.0, 2.0], [0.0, 0.0], [3.0, 1.0]]), torch.zeros(3))])
    record = _analyze(graph, torch.rand(4, 2))
    assert (record.zero_rows, record.zero_samples) == (4, 0)


def test_many_classes_have_no_enumeration():
    wide = _analyze(graphs.mlp(20, 16), torch.rand(2, 20))
    norms = wide.statistics
    assert norms["linf_l1_norm_lower"].max <= norms["linf_l1_norm_upper"].max
    assert "linf_l1_norm" not in norms


def test_without_labels_what_needs_them_is_skipped():
    record = _analyze(graphs.mlp(5, 7, 3), graphs.uniform(4, 5))
    assert record.reference == "prediction"
    assert isinstance(record.functionals, Skipped)
    assert isinstance(record.surrogates, Skipped)
    assert record.distances[0].nearest.min > 0


def test_progress_runs_from_nothing_to_all():
    seen = []
    _analyze(graphs.toy(), torch.ones(5, 2), batch_size=2, progress=lambda *step: seen.append(step))
    assert seen[0] == ("jacobian", 0, 5)
    assert seen[-1] == ("jacobian", 5, 5)
