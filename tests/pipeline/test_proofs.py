"""What is certified is the network as it was loaded."""

from types import SimpleNamespace

import torch
from torch import nn

from lipcert.analyses.certificates import Certifier
from lipcert.analyses.lipschitz import Constants
from lipcert.deadline import Deadline
from lipcert.pipeline.proofs import cheap_proofs, tell_withdrawn
from lipcert.progress import silent
from lipcert.records import AnalyzeSettings
from lipcert.render.explain import PAGES
from lipcert.rules import LayerNorms
from lipcert.samples import Samples
from tests.captured import graph_from


def _cancelling(level):
    """A layer whose large bias a batch norm takes off again."""
    layer, norm = nn.Linear(1, 2), nn.BatchNorm1d(2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        layer.bias.fill_(level)
        norm.running_mean.fill_(level)
    return graph_from(nn.Sequential(layer, norm).eval(), 1)


def _certified(graph, deploy_dtype):
    settings = AnalyzeSettings(deploy_dtype=deploy_dtype)
    inputs = torch.tensor([[0.3]])
    run = SimpleNamespace(graph=graph, settings=settings, progress=silent)
    samples = Samples(inputs=inputs, labels=torch.tensor([0]), input_range=None)
    proofs = cheap_proofs(run, Constants(LayerNorms(graph)), samples, {"linf": (0.1,)}, Deadline())
    assert isinstance(proofs, Certifier)
    return bool(proofs.standings[0].certified.all())


def test_a_batch_norm_that_the_deployed_network_does_not_fold_keeps_its_rounding():
    # Around 2^25 float32 numbers are 4 apart: what the deployed network computes is 0 against 0.
    graph = _cancelling(2.0**25)
    assert float(graph(torch.tensor([[0.3]])).diff().abs()) == 0.0
    assert not _certified(graph, "float32")
    assert _certified(graph, "real")
    assert _certified(_cancelling(4.0), "float32")


def test_a_certificate_that_rounding_alone_breaks_leaves_word():
    run = SimpleNamespace(record=SimpleNamespace(diagnostics=()), found=lambda **fields: told.update(fields))
    told: dict[str, tuple] = {}
    ball = SimpleNamespace(norm="linf", eps=0.1)
    tell_withdrawn(run, ball, 0)
    assert not told
    tell_withdrawn(run, ball, 2)
    (found,) = told["diagnostics"]
    assert (found.id, found.level) == ("certificates.rounding", "warning")
    assert "2 certified samples" in found.message
    assert "linf 0.1" in found.message
    assert any(found.id in (page.id, *page.aliases) for page in PAGES)
