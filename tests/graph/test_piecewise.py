"""Which networks are piecewise linear, against second differences of random lines."""

import pytest
import torch
from torch import nn

from lipcert.graph.piecewise import curved_ops
from tests import graphs
from tests.captured import graph_from, randomised

ATEN = torch.ops.aten


class _Squares(nn.Module):
    def forward(self, x):
        return x * x


class _Gated(nn.Module):
    def forward(self, x):
        return x[:, :3] @ torch.eye(3) * torch.softmax(x[:, 3:], dim=1)


FLAT = {
    "relu": (nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), (6,)),
    "leaky": (nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.1), nn.Linear(8, 3)), (6,)),
    "hard": (nn.Sequential(nn.Linear(6, 8), nn.Hardtanh(), nn.Linear(8, 3), nn.Hardsigmoid()), (6,)),
    "prelu": (nn.Sequential(nn.Linear(6, 8), nn.PReLU(), nn.Linear(8, 3)), (6,)),
    "pooled": (
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        (2, 6, 6),
    ),
    "averaged": (nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), (2, 6, 6)),
}
CURVED = {
    "gelu": (nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3)), (6,), "gelu"),
    "softmax": (_Gated(), (6,), "mul"),
    "square": (_Squares(), (6,), "mul"),
    "layer norm": (nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8)), (6,), "native_layer_norm"),
}


def _bends(graph, shape):
    """Largest second difference over tiny steps, relative to the first: of the order of the step where it is curved."""
    graph, step = graph.to(dtype=torch.float64), 1e-4
    x = graphs.random(40, *shape, dtype=torch.float64)
    v = graphs.random(40, *shape, seed=1, dtype=torch.float64) * step
    ahead, here, behind = graph(x + v), graph(x), graph(x - v)
    bend, slope = (ahead - 2 * here + behind).abs().amax(dim=1), (ahead - behind).abs().amax(dim=1) + 1e-12
    return float((bend / slope).median())


@pytest.mark.parametrize("name", FLAT)
def test_piecewise_linear_nets_have_no_curved_op(name):
    module, shape = FLAT[name]
    graph = graph_from(randomised(module).eval(), *shape)
    assert curved_ops(graph) == ()
    assert _bends(graph, shape) < 1e-7


@pytest.mark.parametrize("name", CURVED)
def test_curved_nets_name_what_bends_them(name):
    module, shape, op = CURVED[name]
    graph = graph_from(randomised(module).eval(), *shape)
    assert op in curved_ops(graph)
    assert _bends(graph, shape) > 1e-7


def test_small_graphs():
    assert curved_ops(graphs.conv()) == ()
    assert curved_ops(graphs.mlp(4, 5, 3, activation=ATEN.tanh.default)) == ("tanh",)
    assert curved_ops(graphs.mlp(4, 5, 3, activation=ATEN.sign.default)) == ()
