"""Margins in whole balls: below what any point of the ball has, and exact where the network is affine."""

import pytest
import torch

from lipcert.analyses.certificates.ball_margins import ALLOWED, ball_margins
from lipcert.deadline import Deadline
from lipcert.graph.scores import margins
from lipcert.records import Skipped
from tests import graphs

DOUBLE = torch.float64
BALLS = [("linf", 0.05), ("l2", 0.2), ("l1", 0.2)]
NETS = {"mlp": graphs.mlp(4, 10, 8, 3), "conv": graphs.conv()}


def given(graph, count=20):
    inputs = graphs.random(count, *graph.input_shape, seed=2)
    return inputs, graph(inputs.to(graph.dtype)).argmax(dim=1)


def sphere(norm, eps, shape, seed):
    """Points on or in the ball, corners and axes among them."""
    delta = graphs.random(*shape, seed=seed, dtype=DOUBLE)
    flat = delta.flatten(1)
    if norm == "linf":
        return eps * delta.sign()
    if norm == "l2":
        return (eps * flat / flat.norm(dim=1, keepdim=True)).reshape(shape)
    one = torch.zeros_like(flat).scatter(1, flat.abs().argmax(dim=1, keepdim=True), 1.0)
    return (eps * one * flat.sign()).reshape(shape)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("effort", ["fast", "default"])
def test_no_point_of_the_ball_has_a_smaller_margin(name, effort):
    graph = NETS[name].to(dtype=DOUBLE)
    inputs, labels = given(NETS[name])
    found = ball_margins(graph, inputs, labels, BALLS, effort=effort)
    for (norm, eps), bound in found.items():
        assert (bound <= margins(graph(inputs.to(DOUBLE)), labels)).all()
        for seed in range(30):
            points = inputs.to(DOUBLE) + sphere(norm, eps, inputs.shape, seed)
            assert (bound <= margins(graph(points), labels) + 1e-12).all()


def test_they_are_exact_for_an_affine_network():
    weight = torch.tensor([[1.0, 2.0, 0.0], [-1.0, 0.5, 1.0]], dtype=DOUBLE)
    graph = graphs.mlp_of([(weight, torch.zeros(2, dtype=DOUBLE))])
    inputs, labels = given(graph)
    clean, gap = margins(graph(inputs.to(DOUBLE)), labels), weight[0] - weight[1]
    found = ball_margins(graph, inputs, labels, BALLS)
    for (norm, eps), dual in zip(BALLS, (1, 2, torch.inf), strict=True):
        exact = clean - eps * float(torch.linalg.vector_norm(gap, dual))
        assert torch.allclose(found[norm, eps], exact, rtol=1e-9)


def test_work_that_is_not_paid_for_leaves_coarser_bounds_and_then_none(monkeypatch):
    graph = NETS["mlp"].to(dtype=DOUBLE)
    inputs, labels = given(NETS["mlp"])
    fine = ball_margins(graph, inputs, labels, BALLS)
    monkeypatch.setattr("lipcert.analyses.certificates.ball_margins._FINE", 0.0)
    coarse = ball_margins(graph, inputs, labels, BALLS)
    assert all((coarse[ball] <= fine[ball] + 1e-9).all() for ball in BALLS)
    assert any((coarse[ball] < fine[ball] - 1e-6).any() for ball in BALLS)
    monkeypatch.setitem(ALLOWED, "default", 0.0)
    for none in (
        ball_margins(graph, inputs, labels, BALLS),
        ball_margins(graph, inputs, labels, BALLS, deadline=Deadline.after(0)),
    ):
        assert all(torch.isinf(bound).all() for bound in none.values())


def test_samples_that_are_wrong_have_no_margin():
    graph = NETS["mlp"].to(dtype=DOUBLE)
    inputs, labels = given(NETS["mlp"])
    labels[3] = (labels[3] + 1) % 3
    assert all(torch.isinf(bound[3]) for bound in ball_margins(graph, inputs, labels, BALLS).values())


def test_an_op_without_a_rule_is_skipped_by_name():
    graph = graphs.mlp(4, 5, 3, activation=torch.ops.aten.lgamma.default).to(dtype=DOUBLE)
    found = ball_margins(graph, *given(graph), BALLS)
    assert isinstance(found, Skipped)
    assert "lgamma" in found.reason + " ".join(found.operators)


def test_nothing_is_known_where_every_sample_is_misclassified():
    graph = NETS["mlp"].to(dtype=DOUBLE)
    inputs, labels = given(NETS["mlp"])
    found = ball_margins(graph, inputs, (labels + 1) % 3, BALLS, effort="default")
    assert all((bound == -torch.inf).all() for bound in found.values())
