"""The chain of surrogates around the largest loss of the linearised network."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.jacobian import Attacked, jacobian_record, measure_jacobians, with_attacks
from lipcert.analyses.jacobian.duality import dual
from lipcert.analyses.jacobian.report import ball_losses
from lipcert.graph.jacobian import logits_and_jacobians
from lipcert.graph.scores import cross_entropy
from tests import graphs

NAMES = ["first_order", "pairwise", "max_pair", "jacobian"]


def _linear_attack(graph, inputs, labels, norm, eps):
    """The largest loss of z + J delta that ascent finds, with every pair's worst step among the starts."""
    logits, jacobian = logits_and_jacobians(graph.to(dtype=torch.float64), inputs)
    p = {"l2": 2.0, "linf": math.inf, "l1": 1.0}[norm]
    own = jacobian[torch.arange(len(labels)), labels]
    worst = cross_entropy(logits, labels)
    for k in range(logits.shape[1]):
        delta = eps * dual(jacobian[:, k] - own, p)
        for _ in range(60):
            moved = logits + (jacobian @ delta[:, :, None])[:, :, 0]
            worst = torch.maximum(worst, cross_entropy(moved, labels))
            slope = moved.softmax(dim=1) - torch.nn.functional.one_hot(labels, logits.shape[1])
            delta = eps * dual((slope[:, None] @ jacobian)[:, 0], p)
    return worst


@settings(max_examples=25, deadline=None)
@given(
    st.integers(2, 6),
    st.sampled_from(["l2", "linf", "l1"]),
    st.sampled_from([0.0, 1e-3, 0.05, 0.5, 3.0]),
    st.sampled_from([0.2, 1.0, 4.0]),
    st.integers(0, 999),
)
def test_the_chain_holds_around_the_linearised_robust_loss(classes, norm, eps, scale, seed):
    graph = graphs.mlp(5, 12, classes, seed=seed, scale=scale)
    inputs, labels = graphs.uniform(6, 5, seed=seed), torch.arange(6) % classes
    measured = measure_jacobians(graph, inputs, labels)
    found = ball_losses(measured.columns, (norm, eps))
    assert list(found) == NAMES
    attacked = _linear_attack(graph, inputs, labels, norm, eps)
    chain = [measured.columns.loss, found["first_order"], attacked, *(found[name] for name in NAMES[1:])]
    for low, high in itertools.pairwise(chain):
        assert (low <= high * (1 + 1e-9) + 1e-12).all()
    if classes == 2:
        torch.testing.assert_close(found["pairwise"], attacked, rtol=1e-9, atol=1e-12)


def test_toy_inside_its_cell():
    measured = measure_jacobians(graphs.toy(), torch.ones(1, 2), torch.tensor([0]))
    (surrogate,) = jacobian_record(measured, balls=[("l2", 0.5)]).surrogates
    values = {one.name: one.loss.mean for one in surrogate.surrogates}
    expected = {
        "first_order": 0.447732,
        "pairwise": 0.474077,
        "max_pair": 0.313262 + 0.5,
        "jacobian": 0.313262 + math.sqrt(2) * 0.5 * math.sqrt(7),
    }
    assert values == pytest.approx(expected, abs=1e-6)
    assert surrogate.clean_loss == pytest.approx(0.313262, abs=1e-6)
    assert surrogate.ordered
    assert surrogate.robust_loss is None


def test_pairwise_is_the_robust_loss_of_a_linear_net_with_two_classes():
    weight, bias = graphs.random(2, 5, seed=1), graphs.random(2, seed=2)
    graph, inputs = graphs.mlp_of([(weight, bias)]), graphs.uniform(7, 5)
    labels = torch.arange(7) % 2
    measured = measure_jacobians(graph, inputs, labels)
    gap = (weight[0] - weight[1]).to(torch.float64)
    logits = graph.to(dtype=torch.float64)(inputs.double())
    margin = logits.gather(1, labels[:, None])[:, 0] - logits.gather(1, 1 - labels[:, None])[:, 0]
    for norm, length in (("l2", gap.norm()), ("linf", gap.abs().sum())):
        expected = torch.nn.functional.softplus(-margin + 0.3 * length)
        torch.testing.assert_close(ball_losses(measured.columns, (norm, 0.3))["pairwise"], expected)


def test_losses_of_attacks_stand_beside():
    graph, inputs = graphs.mlp(5, 9, 3), graphs.uniform(20, 5)
    labels = graph(inputs).argmax(dim=1)
    measured = measure_jacobians(graph, inputs, labels)
    record = jacobian_record(measured, balls=[("linf", 0.1), ("l2", 0.2)])
    assert all(one.covers is None for surrogate in record.surrogates for one in surrogate.surrogates)
    loss = _linear_attack(graph, inputs, labels, "linf", 0.1)
    broken = torch.arange(20) % 2 == 0
    joined = with_attacks(record, measured, {("linf", 0.1): Attacked(loss=loss, broken=broken)})
    assert [(one.norm, one.eps) for one in joined.surrogates] == [("l2", 0.2), ("linf", 0.1)]
    without, beside = joined.surrogates
    assert without.robust_loss is None
    assert beside.robust_loss == pytest.approx(float(loss.mean()))
    covers = {one.name: (one.covers, one.errs, one.linear) for one in beside.surrogates}
    assert covers["pairwise"] == (1, "above", "above")
    assert covers["first_order"][1:] == ("below", "below")
    assert {c.second for c in joined.correlations} == {"margin", "survives linf 0.1", "robust_loss linf 0.1"}


def test_confident_losses_keep_their_digits():
    graph = graphs.mlp_of([(40 * torch.eye(3), torch.zeros(3))])
    measured = measure_jacobians(graph, torch.eye(3), torch.arange(3))
    found = ball_losses(measured.columns, ("l2", 1e-3))
    assert (found["pairwise"] > found["first_order"]).all()
    assert found["first_order"].tolist() == pytest.approx([2 * math.exp(-40)] * 3, rel=0.1)
