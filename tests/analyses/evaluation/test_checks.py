"""Single checks, on evidence made to fail or pass them."""

from dataclasses import replace

import pytest
import torch

from lipcert.analyses.evaluation import CHECKS, Searched, evaluate
from lipcert.attacks import Ball
from lipcert.deadline import Deadline
from tests import graphs
from tests.analyses.evaluation import zoo


@pytest.fixture(scope="module")
def healthy():
    return zoo.healthy("digits_mlp")


def _ball_check(name, evidence):
    return CHECKS[name].of_ball(evidence, evidence.widest[0])


def test_attacks_that_miss_errors_are_told_by_the_others(healthy):
    lazy = zoo.without(healthy, torch.ones(zoo.COUNT, dtype=torch.bool))
    for name in ("black_box", "convergence", "transfer"):
        assert _ball_check(name, healthy).status == "pass"
    assert _ball_check("convergence", lazy).status == "warn"
    assert _ball_check("black_box", _no_square(lazy)).status == "fail"


def _no_square(evidence):
    """As if the attacks had run no search without gradients of their own."""
    entries = []
    for entry in evidence.searched:
        kept = tuple(attack for attack in entry.record.attacks if attack.attack != "square")
        entries.append(replace(entry, record=replace(entry.record, attacks=kept)))
    return replace(evidence, searched=tuple(entries))


def test_certified_samples_are_compared_with_broken_ones(healthy):
    entry = healthy.widest[0]
    consistent = replace(entry, certified=~entry.outcome.broken)
    clash = replace(entry, certified=torch.ones(zoo.COUNT, dtype=torch.bool))
    check = CHECKS["certified_unbroken"].of_ball
    assert check(healthy, entry).status == "skipped"
    assert check(healthy, consistent).status == "pass"
    assert check(healthy, clash).status == "fail"
    gap = CHECKS["gap"].of_ball
    assert gap(healthy, consistent).value == 0
    assert gap(healthy, replace(entry, certified=~clash.certified)).value == pytest.approx(entry.outcome.accuracy)


def test_accuracy_that_rises_with_the_radius_fails(healthy):
    first, second, *rest = healthy.searched
    swapped = (replace(first, record=second.record), replace(second, record=first.record), *rest)
    assert CHECKS["monotone"].of_model(healthy).status == "pass"
    assert CHECKS["monotone"].of_model(replace(healthy, searched=swapped)).status == "fail"


def test_a_small_part_of_zero_gradients_warns(healthy):
    off = healthy.points[:1]

    def classify(x):
        same = (x - off.to(x)).abs().flatten(1).amax(dim=1) == 0
        return torch.where(same[:, None], healthy.target.classify(x).detach(), healthy.target.classify(x))

    target = replace(healthy.target, classify=classify)
    assert CHECKS["zero_gradient"].of_model(replace(healthy, target=target)).status == "warn"


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_first_order_is_exact_on_a_linear_classifier(norm):
    graph = graphs.mlp_of([(graphs.random(2, 6), torch.zeros(2))]).to(dtype=torch.float64)
    clean = graphs.random(8, 6, seed=3, dtype=torch.float64)
    evidence = zoo.evidence(graph, clean, graph(clean).argmax(dim=1), limits=None, eps={norm: (20.0,)})
    found = CHECKS["first_order"].of_ball(evidence, evidence.widest[0])
    assert 0 < found.value <= 1 + 1e-9


def test_no_sample_is_right():
    _, clean, labels = zoo.digits("digits_mlp")
    net = zoo.healthy("digits_mlp").target.classify
    wrong = (net(clean).argmax(dim=1) + 1) % 10
    record = evaluate(zoo.evidence(net, clean, wrong))
    assert record.verdict == "sound"
    assert all(check.status in ("pass", "skipped") for check in record.checks)
    assert labels.shape == wrong.shape


def test_files_without_a_gradient_are_said_to_have_none(healthy):
    record = evaluate(replace(healthy, blind=True))
    status = {check.id: check.status for check in record.checks}
    assert status["evaluation.differentiable"] == "warn"
    assert status["evaluation.zero_gradient"] == status["evaluation.unbounded"] == "skipped"
    assert record.verdict == "doubtful"


def test_the_same_evidence_gives_the_same_record(healthy):
    assert evaluate(healthy) == evaluate(replace(healthy))


def test_checks_that_time_left_no_room_for_are_said_to_be_left_out(healthy):
    record = evaluate(replace(healthy, deadline=Deadline.after(0.0)))
    assert {check.status for check in record.checks} == {"skipped"}
    assert all("time budget" in check.message for check in record.checks)
    assert record.verdict == "doubtful"


def test_one_sample_and_two_classes():
    graph = graphs.mlp(5, 8, 2)
    clean = graphs.uniform(1, 5)
    evidence = zoo.evidence(graph, clean, graph(clean).argmax(dim=1), eps={"l2": (0.01,)})
    double = graph.to(dtype=torch.float64)
    record = evaluate(replace(evidence, double=double))
    assert record.verdict != "broken"
    assert Searched(ball=Ball(norm="l2", eps=0.01), record=evidence.searched[0].record, outcome=evidence.clean).name
