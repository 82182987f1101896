"""Attacks on inputs and classifiers of every size: tables, wide and tall images, two classes, three, one sample."""

import pytest
import torch
from torch import nn

from lipcert.analyses.robustness import analyze_robustness
from lipcert.attacks import Target, plan
from tests import graphs

EPS = {"linf": (0.1, 0.3), "l2": (1.0,), "l1": (3.0,)}


def _target(shape, classes, count):
    size = torch.Size(shape).numel()
    head = nn.Sequential(nn.Flatten(), nn.Linear(size, 12), nn.ReLU(), nn.Linear(12, classes))
    with torch.no_grad():
        for at, layer in enumerate((head[1], head[3])):
            layer.weight.copy_(graphs.random(*layer.weight.shape, seed=at) / layer.in_features**0.5)
            layer.bias.copy_(graphs.random(classes if at else 12, seed=at + 2) / 10)
    graph = graphs.graph_of(head, shape)
    clean = graphs.uniform(count, *shape)
    return Target(classify=graph, scorer=graph, clean=clean, labels=graph(clean).argmax(dim=1))


@pytest.mark.parametrize("shape", [(7,), (1, 3, 9), (3, 8, 4), (1, 1, 1), (5, 6)], ids=str)
@pytest.mark.parametrize(("classes", "count"), [(2, 4), (3, 1)])
def test_every_size_is_searched(shape, classes, count):
    target = _target(shape, classes, count)
    result = analyze_robustness(target, EPS, input_range=(0.0, 1.0), effort="fast")
    assert len(result.attacked) == 4
    for attacked in result.attacked:
        assert attacked.outcome.inputs.shape == target.clean.shape
        assert attacked.ball.contains(attacked.outcome.inputs, target.clean).all()
        assert attacked.record.robust_loss >= attacked.record.clean_loss
    assert {record.norm for record in result.radii} == set(EPS)


@pytest.mark.parametrize("effort", ["default", pytest.param("high", marks=pytest.mark.slow)])
def test_one_sample_of_three_classes_is_searched_by_the_whole_cascade(effort):
    target = _target((1, 3, 5), 3, 1)
    result = analyze_robustness(target, {"linf": (0.02,), "l1": (0.2,)}, effort=effort)
    for attacked in result.attacked:
        assert attacked.record.unfinished == ()
        assert "square" in {attack.attack for attack in attacked.record.attacks}


@pytest.mark.parametrize("effort", ["fast", "default", "high"])
@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_without_gradients_every_effort_has_a_search_that_needs_none(effort, norm):
    stages = plan(effort, norm, classes=3, blind=True).stages
    assert [stage.aim for stage in stages].count("check") == 1
    assert stages[-1].attack.name == "square"


def test_a_classifier_without_gradients_is_broken_at_least_effort():
    target = _target((1, 4, 4), 3, 10)
    blind = Target(
        classify=lambda x: target.classify(x).detach(), scorer=target.scorer, clean=target.clean, labels=target.labels
    )
    (attacked,) = analyze_robustness(blind, {"linf": (0.5,)}, effort="fast", blind=True).attacked
    assert attacked.record.robust_accuracy < 0.5
    assert "square" in {attack.attack for attack in attacked.record.attacks}
