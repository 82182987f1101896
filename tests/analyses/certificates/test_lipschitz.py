"""Certified radii: closed forms, and never beyond what an attack finds."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.base import UpperConstants
from lipcert.analyses.certificates.lipschitz import LipschitzRadii, certified_radius, final_weight, lipschitz_radii
from lipcert.analyses.lipschitz import upper_constants
from lipcert.attacks import Ball, Pgd, Target, run_attack, score_clean
from lipcert.records import Skipped, Soundness
from lipcert.rules import LayerNorms
from lipcert.rules.forward_error import bounded_logits
from tests import graphs
from tests.analyses.constants import constants_of
from tests.captured import graph_from

NORMS = ("l2", "linf", "l1")


def _certify(graph, inputs, labels, norms=NORMS):
    constants = [constants_of(graph, norm) for norm in norms]
    result = lipschitz_radii(graph, bounded_logits(graph, inputs), labels, constants, NORMS)
    assert isinstance(result, LipschitzRadii)
    return result


@pytest.mark.parametrize(("norm", "dual"), [("l2", 2.0), ("linf", 1.0), ("l1", math.inf)])
def test_a_linear_classifier_gets_its_exact_radius_rounded_down(norm, dual):
    weight, bias = graphs.random(4, 6), graphs.random(4, seed=1)
    graph = graphs.mlp_of([(weight, bias)])
    one = UpperConstants(norm=norm, whole=math.inf, before_last=1.0, method="one layer", soundness=Soundness.PROVED)
    inputs = graphs.random(9, 6, seed=2)
    labels = graph(inputs).argmax(dim=1)
    result = lipschitz_radii(graph, bounded_logits(graph, inputs), labels, [one], (norm,))
    logits = graph.to(dtype=torch.float64)(inputs.double())
    gaps = torch.linalg.vector_norm(weight.double()[labels][:, None] - weight.double(), dual, dim=2)
    ratios = (logits.gather(1, labels[:, None]) - logits) / gaps
    exact = ratios.scatter(1, labels[:, None], math.inf).amin(dim=1)
    assert (result.radius[norm] < exact).all()
    torch.testing.assert_close(result.radius[norm], exact, rtol=1e-12, atol=0)


def test_toy_closed_form():
    graph = graphs.toy()
    result = _certify(graph, torch.ones(1, 2), torch.tensor([0]), norms=("l2",))
    pairwise = 1 / (math.sqrt(1 + 4 + 1) * 2.572554)
    whole = 1 / (math.sqrt(2) * 4.455794)
    assert result.radius["l2"].item() == pytest.approx(max(pairwise, whole), rel=1e-6)
    assert result.radius["linf"].item() == pytest.approx(max(pairwise, whole) / math.sqrt(2), rel=1e-6)
    assert result.radius["l1"].item() == result.radius["l2"].item()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 999), st.integers(2, 5), st.sampled_from(["l2", "linf"]))
def test_no_attack_reaches_inside_a_certified_radius(seed, classes, norm):
    graph = graphs.mlp(5, 9, classes, seed=seed)
    inputs = graphs.random(8, 5, seed=seed)
    labels = graph(inputs).argmax(dim=1)
    radius = _certify(graph, inputs, labels).radius[norm]
    target = Target(classify=graph, scorer=graph, clean=inputs, labels=labels)
    for i in range(len(inputs)):
        one = Target(classify=graph, scorer=graph, clean=inputs[i : i + 1], labels=labels[i : i + 1])
        ball = Ball(norm=norm, eps=float(radius[i]))
        assert not run_attack(one, Pgd(loss="margin", restarts=2), ball, score_clean(one), seed=seed).broken.any()
    for eps in (0.2, 1.0, 3.0):
        ball = Ball(norm=norm, eps=eps)
        worst = run_attack(target, Pgd(loss="margin", restarts=2), ball, score_clean(target), seed=seed)
        reached = ball.distance(worst.inputs, inputs)
        assert (radius < reached)[worst.broken].all()


def test_the_radius_of_one_relu_unit_is_sharp():
    """f = (relu(x), 0.5): from x = 2 the label changes at distance 1.5, and the product of norms is the truth."""
    graph = graphs.mlp_of(
        [(torch.ones(1, 1), torch.zeros(1)), (torch.tensor([[1.0], [0.0]]), torch.tensor([0.0, 0.5]))]
    )
    clean, labels = torch.tensor([[2.0]]), torch.tensor([0])
    radius = _certify(graph, clean, labels).radius["l2"].item()
    assert radius == pytest.approx(1.5, rel=1e-8)
    target = Target(classify=graph, scorer=graph, clean=clean, labels=labels)
    ball = Ball(norm="l2", eps=1.0001 * 1.5)
    assert run_attack(target, Pgd(), ball, score_clean(target), seed=0).broken.all()


def test_wrong_and_tied_samples_have_no_radius():
    graph = graphs.mlp_of([(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.zeros(3))])
    inputs = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0]])
    result = _certify(graph, inputs, torch.tensor([0, 0, 2]))
    assert (result.radius["l2"] > 0).tolist() == [False, False, True]
    assert (result.margin("l2", 0.0) > 0).tolist() == [False, False, True]


def test_what_rounding_may_have_added_to_a_margin_is_taken_off():
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    error = torch.tensor([[0.25, 0.25], [0.5, 0.5]], dtype=torch.float64)
    radius = certified_radius(logits, error, torch.zeros(2, dtype=torch.long), torch.full((2, 2), 2.0).double())
    assert radius.tolist() == [pytest.approx(0.25), 0.0]
    assert radius[0] < 0.25


def test_a_constant_network_is_certified_at_every_radius_a_record_can_hold():
    graph = graphs.mlp_of([(torch.zeros(2, 3), torch.tensor([1.0, 0.0]))])
    result = _certify(graph, torch.rand(2, 3), torch.tensor([0, 1]))
    assert result.radius["l2"][0] >= 1e29
    assert result.radius["l2"][1] == 0
    assert (result.margin("l2", 1e9) > 0).tolist() == [True, False]


def test_scaling_one_layer_up_and_the_next_down_keeps_the_radii():
    first, second = (graphs.random(7, 4), torch.zeros(7)), (graphs.random(3, 7, seed=1), torch.zeros(3))
    graph = graphs.mlp_of([first, second])
    scaled = graphs.mlp_of([(8 * first[0], first[1]), (second[0] / 8, second[1])])
    inputs = graphs.random(6, 4, seed=2)
    labels = graph(inputs).argmax(dim=1)
    for norm, radius in _certify(graph, inputs, labels).radius.items():
        torch.testing.assert_close(_certify(scaled, inputs, labels).radius[norm], radius, rtol=1e-6, atol=0)


def test_estimates_are_no_certificates():
    graph, inputs = graphs.toy(), torch.ones(1, 2)
    estimate = constants_of(graph, "l2", soundness=Soundness.ESTIMATE)
    result = lipschitz_radii(graph, bounded_logits(graph, inputs), torch.tensor([0]), [estimate], NORMS)
    assert isinstance(result, Skipped)


def test_one_probabilistic_constant_makes_the_record_probabilistic():
    graph, inputs = graphs.toy(), torch.ones(1, 2)
    constants = [constants_of(graph, "l2"), constants_of(graph, "linf", soundness=Soundness.PROBABILISTIC)]
    result = lipschitz_radii(graph, bounded_logits(graph, inputs), torch.tensor([0]), constants, NORMS)
    assert result.soundness == Soundness.PROBABILISTIC


def test_the_rounding_of_a_folded_batch_norm_does_not_vanish_between_nearly_equal_rows():
    """Rows of 1 and (1 + 2^-23) (1 - 2^-23): their difference, 2^-46, comes out wrong by a few per cent."""
    step, reached = 2.0**-23, []
    for variance in torch.linspace(0.3, 3, 10):
        net = torch.nn.Sequential(torch.nn.Linear(1, 2, bias=False), torch.nn.BatchNorm1d(2)).eval()
        weight, gamma = torch.tensor([[1.0], [1 + step]]), torch.tensor([1.0, 1 - step])
        state = {"0.weight": weight, "1.weight": gamma, "1.bias": torch.tensor([1.0, 0.0])}
        state |= {"1.running_mean": torch.zeros(2), "1.running_var": variance.expand(2)}
        net.load_state_dict(state, strict=False)
        norms = LayerNorms(graph_from(net, 1))
        logits = bounded_logits(graph_from(net, 1), torch.zeros(1, 1))
        constants = [upper_constants(norms, "l2")]
        result = lipschitz_radii(norms.graph, logits, torch.tensor([0]), constants, ("l2",))
        root = Fraction(variance.item()) + Fraction(1e-5)
        reached.append(Fraction(result.radius["l2"].item()) ** 2 / (root * 2**92))
    assert all(ratio <= 1 for ratio in reached)
    assert max(reached) > 0.5


def test_the_last_layer_is_found_only_where_it_is_affine():
    assert torch.equal(final_weight(graphs.toy()), torch.tensor([[1.0, -1.0, 0.0], [0.0, 1.0, 1.0]]).double())
    assert final_weight(graphs.conv()).shape == (4, 27)
    assert final_weight(graphs.Graph(_relu_only(), (3,), names={})) is None


def _relu_only():
    module = torch.nn.Module()
    graph = torch.fx.Graph()
    graph.output(graph.call_function(torch.ops.aten.relu.default, (graph.placeholder("x"),)))
    return torch.fx.GraphModule(module, graph)
