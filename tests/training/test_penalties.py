"""Every penalty is what the report calls by its name, and its gradient is the derivative of that."""

import math

import pytest
import torch
from torch import nn

from lipcert.analyses.jacobian import measure_jacobians
from lipcert.analyses.jacobian.induced import operator_norm
from lipcert.analyses.jacobian.surrogates import surrogates
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.graph.jacobian import jacobians
from lipcert.graph.scores import cross_entropy
from lipcert.rules import LayerNorms
from lipcert.training import (
    PENALTIES,
    CrossLipschitz,
    Curvature,
    DataDependent,
    GlobalSpectral,
    InputGradient,
    IntervalLoss,
    JacobianFrobenius,
    JacobianL1,
    LipschitzMargin,
    Pairwise,
)
from tests.captured import graph_from
from tests.training.nets import NETS, batch, seeded

STEP, EPS = 0.05, 0.1
CASES = {
    "jacobian_frobenius": JacobianFrobenius(),
    "jacobian_l1": JacobianL1(),
    "cross_lipschitz": CrossLipschitz(),
    "input_gradient": InputGradient(),
    "input_gradient linf": InputGradient(norm="linf"),
    "curvature": Curvature(step=STEP),
    "pairwise l2": Pairwise(norm="l2", eps=EPS),
    "pairwise linf": Pairwise(norm="linf", eps=EPS),
    "pairwise l1": Pairwise(norm="l1", eps=EPS),
    "data_dependent": DataDependent(eps=EPS, steps=400, form="jacobian"),
    "global_spectral": GlobalSpectral(steps=400),
    "interval": IntervalLoss(eps=0.02, share=0.7, input_range=(0.0, 1.0)),
    "lipschitz_margin": LipschitzMargin(eps=EPS, steps=400),
}


def test_no_penalty_is_left_out():
    assert {name.split()[0] for name in CASES} == set(PENALTIES)


def _reported(name, net, inputs, labels):
    """The same number, the slow way: the report's own analysis of the captured graph."""
    graph = graph_from(net, *inputs.shape[1:]).to(dtype=torch.float64)
    found = measure_jacobians(graph, inputs, labels, step=STEP, dtype=torch.float64)
    columns, (kind, _, which) = found.columns, name.partition(" ")
    if kind == "global_spectral":
        norms = LayerNorms(graph)
        found = [norms.norm(node, "l2") for node in norms.graph.nodes if norms.operator(node) and node.parameter_names]
        return sum(norm.lower**2 for norm in found) / 2
    if kind == "interval":
        return _interval_loss(graph, inputs, labels)
    if kind == "lipschitz_margin":
        norms = LayerNorms(graph)
        layers = [node for node in norms.graph.nodes if norms.operator(node) is not None and node.parameter_names]
        weight, logits = norms.operator(layers[-1]).weight, graph(inputs)
        apart = (weight[:, None] - weight[None]).norm(dim=2)
        pairs = apart * math.prod(norms.norm(node, "l2").lower for node in layers[:-1])
        leads = logits - logits.gather(1, labels[:, None]) + EPS * pairs[labels]
        return float(leads.logsumexp(dim=1).mean())
    if kind == "pairwise":
        rows = surrogates(
            which, EPS, loss=columns.loss, rivals=columns.rivals, gradient=columns.gradient[which], entries=columns.loss
        )["pairwise"]
        return float(rows.mean())
    if kind == "data_dependent":
        return float(EPS**2 * columns.norms["spectral_norm"].square().mean() / 2)
    rows = {
        "jacobian_frobenius": columns.functionals["squared_frobenius"],
        "jacobian_l1": columns.norms["l1_entries"],
        "cross_lipschitz": columns.functionals["cross_lipschitz"],
        "input_gradient": columns.functionals["input_gradient_l1" if which else "input_gradient"],
        "curvature": found.probe.difference.square(),
    }
    return float(rows[kind].mean())


def _interval_loss(graph, inputs, labels):
    """By the report's own interval arithmetic up to the last layer, whose weights are joined to the differences."""
    region = Region(inputs, "linf", torch.full((len(inputs),), 0.02, dtype=torch.float64), (0.0, 1.0))
    bounder = Bounder(graph, deploy_dtype="real")
    last = next(node for node in reversed(bounder.nodes) if node.op == "addmm")
    box = bounder.intervals(region)[last.inputs[0]]
    bias, _, transposed = last.args[:3]
    rows = transposed.double().T[None] - transposed.double().T[labels][:, None]
    leads = (rows @ box.centre[:, :, None] + rows.abs() @ box.radius[:, :, None])[:, :, 0]
    leads = leads + bias.double() - bias.double()[labels][:, None]
    clean = cross_entropy(graph(inputs), labels).mean()
    return float(0.3 * clean + 0.7 * leads.logsumexp(dim=1).mean())


@pytest.mark.parametrize("net_name", NETS)
@pytest.mark.parametrize("name", CASES)
def test_a_penalty_is_its_analysis(name, net_name):
    make, _, _ = NETS[net_name]
    net, (inputs, labels) = make(nn.ReLU, seed=3), batch(net_name)
    value = CASES[name](net, inputs, labels, seeded())
    assert value.ndim == 0
    assert float(value.detach()) == pytest.approx(_reported(name, net, inputs, labels), rel=1e-6)


@pytest.mark.parametrize("net_name", NETS)
@pytest.mark.parametrize("name", CASES)
def test_a_gradient_is_the_central_difference(name, net_name):
    """Along one random direction of all parameters. A maximiser held fixed adds nothing: the envelope theorem."""
    make, _, _ = NETS[net_name]
    net, (inputs, labels) = make(seed=5), batch(net_name)
    parameters = list(net.parameters())
    directions = [torch.randn(p.shape, generator=seeded(7), dtype=torch.float64) for p in parameters]
    value = CASES[name](net, inputs, labels, seeded())
    gradients = torch.autograd.grad(value, parameters, materialize_grads=True)
    slope = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))

    def moved(by):
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter.add_(direction, alpha=by)
        result = float(CASES[name](net, inputs, labels, seeded()).detach())
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter.sub_(direction, alpha=by)
        return result

    step = 1e-6
    assert slope == pytest.approx((moved(step) - moved(-step)) / (2 * step), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("penalty", [JacobianFrobenius, JacobianL1, CrossLipschitz])
def test_projections_are_unbiased(penalty):
    make, _, _ = NETS["mlp"]
    net, (inputs, labels) = make(nn.ReLU), batch("mlp", count=2)
    exact = penalty()(net, inputs, labels)
    many = inputs.repeat(4000, 1), labels.repeat(4000)
    estimate = penalty(projections=2)(net, *many, seeded())
    assert float(estimate.detach()) == pytest.approx(float(exact.detach()), rel=0.03)


@pytest.mark.parametrize("q", [1.0, 2.0, math.inf])
@pytest.mark.parametrize("p", [1.0, 2.0, math.inf])
def test_any_operator_norm_is_met_from_below(p, q):
    """One start may end in a local maximum, so the penalty is at most what the report's exact or upper end makes it."""
    net, (inputs, labels) = NETS["mlp"][0](nn.ReLU, seed=3), batch("mlp")
    graph = graph_from(net, *inputs.shape[1:]).to(dtype=torch.float64)
    ends = operator_norm(jacobians(graph, inputs), p, q)
    value = DataDependent(p=p, q=q, eps=EPS, steps=50, form="jacobian")(net, inputs, labels, seeded())
    share = float(value.detach()) / float(EPS**2 * ends.upper.square().mean() / 2)
    assert 0.2 < share <= 1 + 1e-9


def test_what_draws_asks_for_a_generator():
    make, _, _ = NETS["mlp"]
    net, (inputs, labels) = make(), batch("mlp")
    for penalty in (JacobianFrobenius(projections=1), DataDependent(), GlobalSpectral()):
        with pytest.raises(ValueError, match="Generator"):
            penalty(net, inputs, labels)


def test_both_forms_agree_inside_a_region():
    make, _, _ = NETS["mlp"]
    net, (inputs, labels) = make(nn.ReLU), batch("mlp")
    near, local = (DataDependent(eps=1e-6, steps=30, form=form) for form in ("difference", "jacobian"))
    values = [float(each(net, inputs, labels, seeded()).detach()) for each in (near, local)]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


def test_vectors_are_kept_between_calls():
    """One step a call reaches the norm in time, as the weights hardly move in between."""
    make, _, _ = NETS["conv"]
    net, (inputs, labels) = make(), batch("conv")
    penalty, generator = GlobalSpectral(), seeded()
    values = [float(penalty(net, inputs, labels, generator).detach()) for _ in range(200)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(_reported("global_spectral", net, inputs, labels), rel=1e-6)
