"""Norms of Jacobians against closed forms, torch.linalg, and enumeration."""

import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.jacobian import Measured, measure, measure_jacobians
from lipcert.records import JacobianRecord, Skipped, Soundness
from tests import graphs


def _analyze(*arguments: Any, **settings: Any) -> JacobianRecord | Skipped:
    measured = measure_jacobians(*arguments, **settings)
    return measured.record() if isinstance(measured, Measured) else measured


def _signs(classes):
    return torch.tensor(list(itertools.product((1.0, -1.0), repeat=classes)), dtype=torch.float64)


def test_toy():
    record = _analyze(graphs.toy(), torch.ones(1, 2))
    assert isinstance(record, JacobianRecord)
    means = {name: spread.mean for name, spread in record.statistics.items()}
    expected = {
        "spectral_norm": 2.618034,
        "frobenius_norm": math.sqrt(7),
        "l1_entries": 5,
        "linf_norm": 3,
        "linf_l1_norm": 5,
        "l1_norm": 3,
        "stable_rank": 7 / 2.618034**2,
        "centred_spectral_norm": 1 / math.sqrt(2),
        "centred_frobenius_norm": 1 / math.sqrt(2),
    }
    assert means == pytest.approx(expected, abs=1e-6)
    assert record.singular_spectrum == pytest.approx((2.618034, 0.381966), abs=1e-6)
    assert (record.dtype, record.soundness) == ("float64", Soundness.EXACT)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 999))
def test_norms_agree_with_torch_and_enumeration(classes, features, seed):
    jacobian = graphs.random(3, classes, features, seed=seed, dtype=torch.float64)
    norms, spectrum = measure(jacobian, _signs(classes))
    torch.testing.assert_close(spectrum, torch.linalg.svdvals(jacobian), atol=1e-7, rtol=0)
    torch.testing.assert_close(norms["spectral_norm"], torch.linalg.matrix_norm(jacobian, 2), rtol=1e-12, atol=0)
    torch.testing.assert_close(norms["linf_norm"], torch.linalg.matrix_norm(jacobian, math.inf))
    torch.testing.assert_close(norms["l1_norm"], torch.linalg.matrix_norm(jacobian, 1))
    torch.testing.assert_close(norms["frobenius_norm"], torch.linalg.matrix_norm(jacobian))
    corners = _signs(features)
    torch.testing.assert_close(norms["linf_l1_norm"], (jacobian @ corners.T).abs().sum(dim=1).amax(dim=1))
    upper = measure(jacobian, None)[0]["linf_l1_norm_upper"]
    assert (norms["linf_l1_norm"] <= upper * (1 + 1e-12)).all()
    centre = torch.eye(classes, dtype=torch.float64) - 1 / classes
    torch.testing.assert_close(
        norms["centred_spectral_norm"], torch.linalg.matrix_norm(centre @ jacobian, 2), atol=1e-7, rtol=1e-9
    )


def test_batches_make_no_difference():
    graph, inputs = graphs.conv(), graphs.uniform(7, 2, 6, 6)
    whole, split = (_analyze(graph, inputs, batch_size=size) for size in (7, 2))
    assert whole.statistics["spectral_norm"].mean == pytest.approx(split.statistics["spectral_norm"].mean, rel=1e-12)


def test_constant_logits():
    graph = graphs.mlp_of([(torch.zeros(3, 4), torch.ones(3))])
    record = _analyze(graph, torch.rand(2, 4))
    assert record.statistics["stable_rank"].max == 0
    assert record.statistics["linf_l1_norm"].max == 0


def test_many_classes_fall_back_or_are_skipped():
    wide = _analyze(graphs.mlp(4, 16), torch.rand(2, 4))
    assert "linf_l1_norm_upper" in wide.statistics
    skipped = _analyze(graphs.mlp(4, 101), torch.rand(2, 4))
    assert isinstance(skipped, Skipped)
    assert "101 classes" in skipped.reason


def test_progress_runs_from_nothing_to_all():
    seen = []
    _analyze(graphs.toy(), torch.ones(5, 2), batch_size=2, progress=lambda *step: seen.append(step))
    assert seen[0] == ("jacobian", 0, 5)
    assert seen[-1] == ("jacobian", 5, 5)
