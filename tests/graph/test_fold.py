"""Folding leaves the function as it is, in every layer it knows."""

import pytest
import torch
from torch import nn

from lipcert.graph.fold import fold_batch_norm
from tests.captured import graph_from, randomised
from tests.graphs import random

FOLDED = {
    "conv": ((nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3)), (2, 4, 4)),
    "conv without bias": ((nn.Conv2d(2, 4, 3, groups=2, bias=False), nn.BatchNorm2d(4)), (2, 4, 4)),
    "conv 1d": ((nn.Conv1d(2, 3, 3, stride=2), nn.BatchNorm1d(3)), (2, 7)),
    "conv 3d": ((nn.Conv3d(1, 2, 2), nn.BatchNorm3d(2, affine=False)), (1, 3, 3, 3)),
    "transposed": ((nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, output_padding=1), nn.BatchNorm2d(6)), (4, 3, 3)),
    "linear": ((nn.Linear(5, 3), nn.BatchNorm1d(3)), (5,)),
    "linear without bias": ((nn.Linear(5, 3, bias=False), nn.BatchNorm1d(3)), (5,)),
    "two in a row": (
        (nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)),
        (2, 4, 4),
    ),
    "straight into the next": (
        (nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)),
        (2, 4, 4),
    ),
}
KEPT = {
    "first": ((nn.BatchNorm2d(2), nn.Conv2d(2, 3, 3)), (2, 4, 4)),
    "after an activation": ((nn.Conv2d(2, 3, 3), nn.ReLU(), nn.BatchNorm2d(3)), (2, 4, 4)),
    "instance norm": ((nn.Conv2d(2, 3, 3), nn.InstanceNorm2d(3)), (2, 4, 4)),
}


class Shared(nn.Module):
    """A layer whose value is used twice cannot take the batch norm in."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)

    def forward(self, x):
        y = self.conv(x)
        return y + self.norm(y)


class AddedTo(nn.Module):
    """A product of constants, to which the input is added, is no layer."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, x):
        return self.norm(torch.addmm(x, torch.ones(1, 2).expand(len(x), -1), torch.ones(2, 3)))


def built(case):
    layers, shape = case
    module = randomised(nn.Sequential(*layers))
    return graph_from(module, *shape).to(dtype=torch.float64), shape


def batch_norms(graph):
    return [node for node in graph.nodes if "batch_norm" in node.op]


@pytest.mark.parametrize("name", FOLDED)
def test_the_batch_norm_is_gone_and_the_function_stays(name):
    graph, shape = built(FOLDED[name])
    folded = fold_batch_norm(graph)
    assert batch_norms(graph) != []
    assert batch_norms(folded) == []
    x = random(3, *shape, seed=4, dtype=torch.float64)
    torch.testing.assert_close(folded(x), graph(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", KEPT)
def test_others_are_left(name):
    graph, shape = built(KEPT[name])
    folded = fold_batch_norm(graph)
    assert len(batch_norms(folded)) == len(batch_norms(graph)) > 0
    x = random(3, *shape, seed=4, dtype=torch.float64)
    torch.testing.assert_close(folded(x), graph(x), rtol=0, atol=0)


def test_a_value_read_twice_keeps_its_batch_norm():
    graph = graph_from(randomised(Shared()), 2, 4, 4)
    assert len(batch_norms(fold_batch_norm(graph))) == 1


def test_a_batch_norm_after_constants_is_left():
    graph = graph_from(randomised(AddedTo()), 3)
    assert len(batch_norms(fold_batch_norm(graph))) == 1


def test_names_and_the_mark_survive():
    graph, _ = built(FOLDED["conv"])
    layer = next(node for node in graph.nodes if node.op == "convolution")
    folded = next(node for node in fold_batch_norm(graph).nodes if node.op == "convolution")
    assert folded.name == layer.name
    assert folded.raw.meta["batch_norm"] == batch_norms(graph)[0].name


def test_the_given_graph_is_not_touched():
    graph, shape = built(FOLDED["linear"])
    before = [node.op for node in graph.nodes]
    fold_batch_norm(graph)
    assert [str(raw.target) for raw in graph.module.graph.nodes if raw.op == "call_function"] != []
    assert [node.op for node in type(graph)(graph.module, shape, names=graph.names).nodes] == before
