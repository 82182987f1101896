"""Where nothing is certified, the reason is told, and it is the true one."""

from itertools import pairwise

import torch
from torch import nn

from lipcert.analyses.certificates import certificate_records, prepare
from lipcert.attacks import Target
from lipcert.deadline import Deadline
from lipcert.records import AnalyzeSettings
from lipcert.samples import Samples
from tests.captured import graph_from, randomised


def _told(graph, inputs, eps, **settings):
    labels = graph(inputs).argmax(dim=1)
    data = Samples(inputs=inputs, labels=labels, input_range=None)
    certifier = prepare(graph, data, [], {"linf": eps}, AnalyzeSettings(**settings))
    certifier.start(Deadline())
    certifier.finish(Target(classify=graph, scorer=graph, clean=inputs, labels=labels), Deadline())
    return [record.obstacle for record in certificate_records(certifier)]


def _net(*widths):
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return graph_from(randomised(nn.Sequential(*layers[:-1]), seed=2), widths[0])


INPUTS = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))


def test_nothing_is_told_where_something_is_certified():
    assert _told(_net(4, 8, 3), INPUTS, (1e-5,)) == [""]


def test_bounds_that_grow_too_wide_name_the_layer():
    near, far = _told(_net(4, 16, 16, 16, 3), INPUTS, (5.0, 9.0), effort="fast")
    assert "the best bound on the margin is -" in near
    assert "wider than the values are apart from " in near
    assert far == ""


def test_rounding_that_uses_up_the_margin_is_named():
    layer = nn.Linear(1, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1e-9], [-1e-9]]))
        layer.bias.fill_(1.0)
    graph = graph_from(layer.double().eval(), 1)
    data = torch.tensor([[0.5]], dtype=torch.float64)
    assert "rounding" in _told(graph, data, (1e-9,))[0]
    assert _told(graph, data, (1e-9,), deploy_dtype="real") == [""]


def test_work_that_was_not_allowed_is_named(monkeypatch):
    monkeypatch.setattr("lipcert.analyses.certificates.certifier.ALLOWED", {"default": 1.0})
    (told,) = _told(_net(4, 16, 16, 3), INPUTS, (1.0,))
    assert "multiply-adds, more than the 1 allowed" in told
    assert "--effort high" in told
