"""Layer records: what is listed, how it is described, and that its numbers fit together."""

import pytest
import torch
from torch import nn

from lipcert.analyses.layers import analyze_layers
from lipcert.operators import materialise
from lipcert.records import Skipped, Soundness
from lipcert.rules import LayerNorms
from tests import graphs
from tests.captured import graph_from, randomised


class Scale(nn.Module):
    def forward(self, x):
        return (x - 0.5) / 0.25


NET = nn.Sequential(
    Scale(),
    nn.Conv2d(1, 4, 4, stride=2, padding=1),
    nn.BatchNorm2d(4),
    nn.ReLU(),
    nn.AvgPool2d(2),
    nn.ConvTranspose2d(4, 2, (2, 3), groups=2, dilation=2),
    nn.Flatten(),
    nn.Linear(160, 3),
)


@pytest.fixture(scope="module")
def norms():
    return LayerNorms(graph_from(randomised(NET), 1, 24, 24))


@pytest.fixture(scope="module")
def records(norms):
    return analyze_layers(norms)


def test_every_linear_step_is_listed_and_described(records):
    assert [record.description for record in records] == [
        "scale",
        "conv 1->4 4x4 /2 p1 @24x24 + batch norm",
        "average pool 2x2 /2 @12x12",
        "transposed conv 4->2 2x3 d2 g2 @6x6",
        "linear 160->3",
    ]
    conv, transposed = records[1], records[3]
    assert (conv.input_shape, conv.output_shape) == ((1, 24, 24), (4, 12, 12))
    assert (conv.stride, conv.padding, conv.dilation, conv.groups) == ((2, 2), (1, 1), (1, 1), 1)
    assert transposed.transposed
    assert (transposed.dilation, transposed.groups) == ((2, 2), 2)
    assert [record.parameters for record in records][1:] == [4 * 16 + 4, 0, 4 * 6 + 2, 160 * 3 + 3]


def test_names_are_the_users():
    module = nn.Sequential()
    module.add_module("stem", nn.Conv2d(1, 2, 3))
    module.add_module("norm", nn.BatchNorm2d(2))
    module.add_module("flat", nn.Flatten())
    module.add_module("head", nn.Linear(8, 3))
    found = analyze_layers(LayerNorms(graph_from(randomised(module), 1, 4, 4)))
    assert [record.name.split(".")[-1] for record in found] == ["stem", "head"]


def test_norms_are_those_of_the_matrix(norms, records):
    nodes = [node for node in norms.graph.nodes if norms.operator(node) is not None]
    for node, record in zip(nodes, records, strict=True):
        matrix = materialise(norms.operator(node))
        truths = {
            "spectral_norm": torch.linalg.matrix_norm(matrix, 2),
            "linf_norm": torch.linalg.matrix_norm(matrix, torch.inf),
            "l1_norm": torch.linalg.matrix_norm(matrix, 1),
            "frobenius_norm": torch.linalg.matrix_norm(matrix),
            "stable_rank": (torch.linalg.matrix_norm(matrix) / torch.linalg.matrix_norm(matrix, 2)) ** 2,
        }
        for name, truth in truths.items():
            found = getattr(record, name)
            assert found.lower <= float(truth) * (1 + 1e-12), name
            assert float(truth) <= found.upper * (1 + 1e-12), name
            assert found.soundness is Soundness.EXACT
            assert found.gap < 1e-7


def test_shares_divide_the_amplification(records):
    shares = [record.share for record in records]
    assert sum(share for share in shares if share is not None) == pytest.approx(1.0)
    for record in records:
        assert (record.share is None) == (record.spectral_norm.upper <= 1.0)


def test_progress_runs_from_nothing_to_all(norms):
    seen = []
    analyze_layers(norms, progress=lambda *step: seen.append(step))
    assert seen[0] == ("layers", 0, 5)
    assert seen[-1] == ("layers", 5, 5)


def test_norms_are_computed_once(norms, monkeypatch):
    before = analyze_layers(norms)
    monkeypatch.setattr(LayerNorms, "operator", lambda *_: pytest.fail("computed again"))
    node = next(node for node in norms.graph.nodes if node.op == "addmm")
    assert norms.norm(node, "l2") == before[-1].spectral_norm


def test_a_graph_without_layers_is_skipped():
    assert isinstance(analyze_layers(LayerNorms(graph_from(torch.relu, 3))), Skipped)


def test_the_zero_layer_has_no_stable_rank():
    graph = graphs.mlp_of([(torch.zeros(2, 3), torch.zeros(2))])
    (record,) = analyze_layers(LayerNorms(graph))
    assert record.spectral_norm.upper == 0.0
    assert isinstance(record.stable_rank, Skipped)
    assert record.share is None
