"""Identities and inequalities between functionals, on random nets and against automatic differentiation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.jacobian import jacobian_record, measure_jacobians
from lipcert.analyses.jacobian.functionals import functionals
from lipcert.analyses.jacobian.relations import RELATIONS
from tests import graphs
from tests.captured import graph_from

ATEN = torch.ops.aten


def _net(kind, classes, seed, scale=1.0):
    if kind == "conv":
        return graphs.conv(classes, seed=seed)
    activation = {"relu": ATEN.relu.default, "tanh": ATEN.tanh.default, "sign": ATEN.sign.default}[kind]
    return graphs.mlp(6, 9, 7, classes, seed=seed, scale=scale, activation=activation)


def _record(graph, count=12, seed=0, **settings):
    inputs = graphs.uniform(count, *graph.input_shape, seed=seed)
    labels = torch.arange(count) % graph.classes
    return jacobian_record(measure_jacobians(graph, inputs, labels, **settings))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["relu", "tanh", "sign", "conv"]),
    st.integers(2, 12),
    st.integers(0, 999),
    st.sampled_from([0.1, 1.0, 6.0]),
)
def test_every_relation_holds(kind, classes, seed, scale):
    record = _record(_net(kind, classes, seed, scale), seed=seed)
    relations = record.functionals.relations
    wanted = {relation.id for relation in RELATIONS if relation.classes in {None, classes}}
    assert {relation.id for relation in relations} == wanted
    assert [relation.id for relation in relations if not relation.holds] == []
    assert all(relation.tightness <= 1 + 1e-9 for relation in relations)


def test_a_broken_relation_is_seen(monkeypatch):
    monkeypatch.setattr("lipcert.analyses.jacobian.columns.functionals", _halved)
    record = _record(graphs.mlp(5, 8, 4))
    broken = {relation.id for relation in record.functionals.relations if not relation.holds}
    assert "cross-lipschitz" in broken
    assert "input-gradient" not in broken


def _halved(local, found):
    values = functionals(local, found)
    return values | {"cross_lipschitz": values["cross_lipschitz"] * 0.5}


def _derivatives(graph, inputs, labels):
    graph = graph.to(dtype=torch.float64)
    for x, y in zip(inputs.to(torch.float64), labels, strict=True):

        def loss(v, label=y):
            return torch.nn.functional.cross_entropy(graph(v[None]), label[None])

        yield torch.autograd.functional.jacobian(loss, x), torch.autograd.functional.hessian(loss, x)


def test_gradients_and_hessians_are_those_of_the_loss():
    graph, inputs, labels = graphs.mlp(6, 10, 5), graphs.uniform(8, 6), torch.arange(8) % 5
    found = measure_jacobians(graph, inputs, labels).columns.functionals
    for i, (gradient, hessian) in enumerate(_derivatives(graph, inputs, labels)):
        assert float(found["input_gradient"][i]) == pytest.approx(float(gradient.square().sum()), rel=1e-9)
        assert float(found["input_gradient_l1"][i]) == pytest.approx(float(gradient.abs().sum()), rel=1e-9)
        assert float(found["hessian_trace"][i]) == pytest.approx(float(hessian.trace()), rel=1e-9)
        assert float(found["hessian_norm"][i]) == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=1e-9)


def test_a_smooth_net_has_more_hessian_than_its_gauss_newton_part():
    graph = graphs.mlp(6, 10, 5, activation=ATEN.tanh.default)
    inputs, labels = graphs.uniform(8, 6), torch.arange(8) % 5
    measured = measure_jacobians(graph, inputs, labels)
    traces = torch.stack([hessian.trace() for _, hessian in _derivatives(graph, inputs, labels)])
    assert not torch.allclose(measured.columns.functionals["hessian_trace"], traces, rtol=1e-3)
    functionals = jacobian_record(measured).functionals
    assert functionals.hessian == "gauss-newton"
    assert "tanh" in functionals.reading


def test_the_curvature_probe_tends_to_the_hessian():
    graph, inputs, labels = graphs.mlp(6, 10, 5), graphs.uniform(8, 6), torch.arange(8) % 5
    probe = measure_jacobians(graph, inputs, labels, step=1e-5).probe
    torch.testing.assert_close(probe.difference / 1e-5, probe.local, rtol=1e-3, atol=0)
    for i, (gradient, hessian) in enumerate(_derivatives(graph, inputs, labels)):
        direction = gradient.sign() / gradient.sign().norm()
        assert float(probe.local[i]) == pytest.approx(float((hessian @ direction).norm()), rel=1e-9)


def test_adding_a_function_to_every_logit_changes_only_the_plain_jacobian():
    weight, bias = graphs.random(4, 6, seed=1), graphs.random(4, seed=2)
    shift = graphs.random(1, 6, seed=3) * 5
    one, other = (
        measure_jacobians(graphs.mlp_of([(w, bias)]), graphs.uniform(5, 6), torch.arange(5) % 4)
        for w in (weight, weight + shift)
    )
    before, after = one.columns.functionals, other.columns.functionals
    for name in ("input_gradient", "hessian_trace", "hessian_norm", "cross_lipschitz", "centred_squared_frobenius"):
        torch.testing.assert_close(before[name], after[name], rtol=1e-5, atol=1e-9)
    assert (after["squared_frobenius"] > before["squared_frobenius"]).all()


def test_toy():
    record = jacobian_record(measure_jacobians(graphs.toy(), torch.ones(1, 2), torch.tensor([0])))
    means = {name: spread.mean for name, spread in record.functionals.statistics.items()}
    assert means["cross_lipschitz"] == pytest.approx(0.5)
    assert means["input_gradient"] == pytest.approx(0.072329, abs=1e-6)
    assert means["hessian_trace"] == pytest.approx(0.196612, abs=1e-6)
    assert means["doubt"] == pytest.approx(0.268941, abs=1e-6)
    assert record.functionals.hessian == "exact"


def test_very_confident_nets_are_read_as_masked():
    record = _record(graphs.mlp_of([(30 * torch.eye(4), torch.zeros(4))]))
    inputs = torch.eye(4) * 3
    confident = jacobian_record(
        measure_jacobians(graphs.mlp_of([(30 * torch.eye(4), torch.zeros(4))]), inputs, torch.arange(4))
    ).functionals
    assert record.functionals.confident < 1
    assert confident.confident == 1
    assert confident.statistics["input_gradient"].max < 1e-30
    assert confident.statistics["cross_lipschitz"].min > 100
    assert "no sign of robustness" in confident.reading
    assert all(relation.holds for relation in confident.relations)


@pytest.mark.parametrize("classes", [2, 5])
def test_attention_has_a_gauss_newton_part(classes):
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    head = torch.nn.Linear(8, classes)
    graph = graph_from(torch.nn.Sequential(layer.eval(), _Mean(), head), 4, 8)
    record = _record(graph)
    assert record.curved_ops
    assert record.functionals.hessian == "gauss-newton"
    assert all(relation.holds for relation in record.functionals.relations)
    assert record.statistics["spectral_norm"].min > 0


class _Mean(torch.nn.Module):
    def forward(self, x):
        return x.mean(dim=1)


def test_rounding_to_a_grid_leaves_a_plateau():
    weight = graphs.random(3, 6)
    graph = graph_from(lambda x: torch.round(x * 255) @ weight.T, 6)
    record = _record(graph)
    assert (record.zero_rows, record.zero_samples) == (12, 12)
    assert record.curved_ops == ()
    assert math.isfinite(record.functionals.statistics["hessian_trace"].max)
