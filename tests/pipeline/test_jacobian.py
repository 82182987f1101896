"""The Jacobian in a whole run: beside attacks, in the table of samples, for many classes and for one output."""

import itertools

import pytest
import torch
from torch import nn

import lipcert
from lipcert.records import AnalyzeSettings, JacobianRecord, Skipped
from lipcert.records.codec import from_json


def _analyze(module, labels, *, features=6, count=24, **settings):
    inputs = torch.rand(count, features, generator=torch.Generator().manual_seed(1))
    chosen = AnalyzeSettings(**{"analyses": ("jacobian", "robustness"), "effort": "fast", **settings})
    return lipcert.analyze(module.eval(), inputs, labels, settings=chosen)


def _net(classes, features=6, seed=0):
    module = nn.Sequential(nn.Linear(features, 16), nn.ReLU(), nn.Linear(16, classes))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.7)
    return module


@pytest.mark.parametrize("classes", [2, 4])
def test_surrogates_stand_beside_attacks_in_every_ball(classes):
    labels = torch.arange(24) % classes
    report = _analyze(_net(classes), labels, eps={"l2": (0.01, 0.3), "linf": (0.05,)})
    record = report.models[0].jacobian
    assert isinstance(record, JacobianRecord)
    assert not isinstance(record.surrogates, Skipped)
    assert [(one.norm, one.eps) for one in record.surrogates] == [("l2", 0.01), ("l2", 0.3), ("linf", 0.05)]
    for surrogate in record.surrogates:
        means = [surrogate.clean_loss, *(one.loss.mean for one in surrogate.surrogates)]
        assert all(low <= high for low, high in itertools.pairwise(means))
        assert surrogate.ordered
        assert surrogate.robust_loss >= surrogate.clean_loss - 1e-6
    # Deep inside its linear region a net is what its Jacobian says.
    smallest = record.surrogates[0]
    assert smallest.surrogates[0].loss.mean - 1e-4 <= smallest.robust_loss <= smallest.surrogates[1].loss.mean + 1e-4
    assert {c.second for c in record.correlations} >= {"margin", "robust_loss l2 0.3"}
    assert from_json(report.to_json()).models[0].jacobian == record


def test_one_output_has_a_logit_that_is_zero_by_definition():
    record = _analyze(_net(1), torch.arange(24) % 2, eps={"l2": (0.1,)}).models[0].jacobian
    assert isinstance(record, JacobianRecord)
    assert (record.zero_rows, record.zero_samples) == (0, 0)
    assert record.statistics["stable_rank"].max == pytest.approx(1)


def test_a_softmax_head_is_no_part_of_it():
    plain, headed = _net(3), nn.Sequential(_net(3), nn.Softmax(dim=1))
    labels = torch.arange(24) % 3
    one, other = (_analyze(net, labels, analyses=("jacobian",)).models[0].jacobian for net in (plain, headed))
    assert one.statistics == other.statistics


def test_many_classes_are_bounded_from_below():
    report = _analyze(_net(120), torch.arange(24), eps={"l2": (0.1,)})
    record = report.models[0].jacobian
    assert isinstance(record, JacobianRecord)
    assert "100" not in record.method
    assert record.statistics["spectral_norm_lower"].min > 0
    assert record.residual < 0.5


def test_without_labels_the_rest_is_there():
    record = _analyze(_net(3), None, analyses=("jacobian",)).models[0].jacobian
    assert isinstance(record, JacobianRecord)
    assert record.reference == "prediction"
    assert isinstance(record.surrogates, Skipped)
    assert isinstance(record.functionals, Skipped)


def test_further_exponents_are_bounded_from_both_sides():
    record = _analyze(_net(4), None, analyses=("jacobian",), exponents=("3:1.5", "inf:2")).models[0].jacobian
    found = {(norm.p, norm.q): norm for norm in record.operator_norms}
    assert len(found) == 10
    norm = found[3, 1.5]
    assert not norm.exact
    assert 0 < norm.lower.median <= norm.upper.median <= 2 * norm.lower.median
