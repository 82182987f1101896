"""The ladder as a whole: what it certifies holds, whatever proved it, and it says so consistently."""

import math

import pytest
import torch

from lipcert.analyses.certificates import (
    Certifier,
    certificate_records,
    certified_radii,
    prepare,
    radius_records,
    verdicts,
)
from lipcert.analyses.certificates.branching import METHOD, branch
from lipcert.analyses.certificates.deployed import deployed_error
from lipcert.attacks import Ball, Pgd, Target, run_attack, score_clean
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.deadline import Deadline
from lipcert.records import AnalyzeSettings, Norm
from lipcert.samples import Samples
from tests import graphs
from tests.analyses.constants import constants_of
from tests.captured import graph_from

EPS: dict[Norm, tuple[float, ...]] = {"linf": (0.02, 0.1), "l2": (0.05, 0.4), "l1": (0.1,)}


def _task(seed=0, samples=24, settings=None, eps=None, input_range=(-1.0, 1.0)):
    graph = graphs.mlp(5, 12, 4, seed=seed)
    inputs = (0.5 * graphs.random(samples, 5, seed=seed)).clamp(-1, 1)
    labels = graph(inputs).argmax(dim=1)
    labels[0] = (labels[0] + 1) % 4
    data = Samples(inputs=inputs, labels=labels, input_range=input_range)
    constants = [constants_of(graph, norm) for norm in ("l2", "linf", "l1")]
    certifier = prepare(graph, data, constants, eps or EPS, settings or AnalyzeSettings())
    target = Target(classify=graph, scorer=graph, clean=inputs, labels=labels)
    return certifier, target


def _attack(target, standing, input_range=(-1.0, 1.0)):
    ball = Ball(norm=standing.norm, eps=standing.eps, input_range=input_range)
    return run_attack(target, Pgd(loss="margin", restarts=3), ball, score_clean(target), seed=1)


@pytest.mark.parametrize("deploy", ["real", "float32", "bfloat16"])
def test_nothing_certified_is_broken_and_every_sample_has_a_verdict(deploy):
    certifier, target = _task(settings=AnalyzeSettings(deploy_dtype=deploy))
    certifier.start(Deadline())
    certifier.finish(target, Deadline())
    certifier.search({}, Deadline())
    for standing, record in zip(certifier.standings, certificate_records(certifier), strict=True):
        outcome = _attack(target, standing)
        assert not (standing.certified & outcome.broken).any()
        assert sum(record.verdicts.values()) == 24
        assert record.verdicts["misclassified"] == 1
        assert record.deploy_dtype == deploy
        assert (standing.margin[standing.certified] > 0).all()
    assert certifier.standings[0].certified.sum() > 15
    assert certified_radii(certifier)[0]["l2"] == 0.0


def test_a_wider_arithmetic_never_certifies_more():
    reached = []
    for deploy in ("real", "float32", "bfloat16"):
        certifier, target = _task(settings=AnalyzeSettings(deploy_dtype=deploy))
        certifier.start(Deadline())
        certifier.finish(target, Deadline())
        reached.append([int(standing.certified.sum()) for standing in certifier.standings])
    assert all(a >= b >= c for a, b, c in zip(*reached, strict=True))
    assert sum(reached[0]) > sum(reached[2])


def test_radii_are_at_least_the_balls_proved_and_at_most_the_nearest_errors():
    certifier, target = _task(seed=3)
    certifier.start(Deadline())
    certifier.finish(target, Deadline())
    certifier.search({}, Deadline())
    for standing in certifier.standings:
        radius = certifier.radius(standing.norm)
        assert (radius[standing.certified] >= standing.eps).all()
        outcome = _attack(target, standing)
        distance = Ball(norm=standing.norm, eps=standing.eps).distance(outcome.inputs, target.clean)
        assert (radius <= distance)[outcome.broken].all()
    records = {record.norm: record for record in radius_records(certifier)}
    assert records["linf"].searched == 16
    assert records["linf"].clipped


def test_no_radius_is_searched_where_the_allowance_pays_for_none(monkeypatch):
    certifier, target = _task(seed=3)
    certifier.start(Deadline())
    certifier.finish(target, Deadline())
    free = certifier.radius("linf")
    monkeypatch.setattr(Certifier, "_searchable", lambda *_: 0)
    monkeypatch.setattr("lipcert.analyses.certificates.certifier.first_order_radius", None)
    certifier.search({}, Deadline())
    assert torch.equal(certifier.radius("linf"), free)
    assert {record.searched for record in radius_records(certifier)} == {0}


def test_branch_and_bound_leaves_nothing_open_on_a_small_net():
    certifier, target = _task(seed=5, eps={"linf": (0.15,)})
    (standing,) = certifier.standings
    certifier.start(Deadline())
    branch(certifier.ladder, standing, standing.open, target, Deadline.after(60))
    assert len(standing.open) == 0
    assert METHOD in standing.decided()
    assert not (standing.certified & _attack(target, standing).broken).any()


def _logarithm(x):
    h = torch.relu(x).log()
    return torch.cat([h[:, :1], -h[:, :1]], 1)


def test_a_margin_that_is_no_number_certifies_nothing():
    graph = graph_from(_logarithm, 2)
    inputs = torch.tensor([[1.5, 1.0]])
    data = Samples(inputs=inputs, labels=torch.tensor([0]), input_range=None)
    certifier = prepare(graph, data, [], {"linf": (2.0,)}, AnalyzeSettings(effort="high"))
    certifier.start(Deadline())
    certifier.finish(Target(classify=graph, scorer=graph, clean=inputs, labels=data.labels), Deadline())
    assert not certifier.standings[0].certified.any()


def test_a_passed_deadline_proves_nothing_more_and_breaks_nothing():
    certifier, target = _task()
    certifier.start(Deadline.after(0.0))
    certifier.finish(target, Deadline.after(0.0))
    certifier.search({}, Deadline.after(0.0))
    methods = {row["method"] for sample in verdicts(certifier) for row in sample}
    assert all(method is None or method.startswith("margin over") for method in methods)
    assert all(not math.isnan(radius["linf"]) for radius in certified_radii(certifier))


def test_float32_evaluations_in_any_order_stay_within_the_deployed_error():
    graph = graphs.mlp(40, 60, 4, seed=2)
    inputs = graphs.random(6, 40, seed=4).double()
    region = Region(inputs, "linf", torch.full((6,), 0.3, dtype=torch.float64))
    error = deployed_error(Bounder(graph), region)
    exact = graph.to(dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    worst = torch.zeros_like(error)
    for _ in range(50):
        points = (inputs + 0.3 * (2 * torch.rand(inputs.shape, generator=generator, dtype=torch.float64) - 1)).float()
        order = torch.randperm(40, generator=generator)
        shuffled = _shuffled(graph, order)(points[:, order])
        worst = torch.maximum(worst, (shuffled.double() - exact(points.double())).abs())
    assert (worst <= error).all()
    assert (worst > 1e-3 * error).any()


def _shuffled(graph, order):
    """The same net with its inputs, hence the sums over them, in another order."""
    (first, bias), *rest = [
        (node.args[2].T if node.op == "addmm" else node.args[1], node.args[0] if node.op == "addmm" else node.args[2])
        for node in graph.nodes
        if node.op in ("addmm", "linear")
    ]
    return graphs.mlp_of([(first[:, order], bias), *rest])
