"""Chains of linear layers: their own norms, against the written-out map, and what they do to the Lipschitz bound."""

import math

import pytest
import torch
from torch import nn

from lipcert.analyses.layers import analyze_layers
from lipcert.analyses.lipschitz import gains
from lipcert.operators import JacobianOperator, materialise
from lipcert.rules import RULES, LayerNorms
from tests.captured import graph_from, randomised
from tests.graphs import random

ORDERS = {"l2": 2, "linf": math.inf, "l1": 1}
SHIFT, SPREAD = random(2, 1, 1), random(2, 1, 1, seed=1).abs() + 0.3


class Scale(nn.Module):
    def forward(self, x):
        return (x - SHIFT) / SPREAD


def conv(*arguments, **kinds):
    return nn.Conv2d(*arguments, **kinds)


LINEAR = {
    "two layers": nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 4)),
    "conv, average pool": nn.Sequential(conv(2, 3, 3, padding=1), nn.AvgPool2d(3, 2, 1)),
    "conv, global pool, linear": nn.Sequential(conv(2, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)),
    "scale, conv": nn.Sequential(Scale(), conv(2, 3, 3, padding=1, stride=2)),
    "scale, grouped conv": nn.Sequential(Scale(), conv(2, 4, 3, padding=1, groups=2)),
    "scale, conv, batch norm": nn.Sequential(Scale(), conv(2, 3, 2), nn.BatchNorm2d(3)),
    "same": conv(2, 3, (4, 3), padding="same"),
    "same, grouped": conv(2, 4, (2, 4), padding="same", groups=2, dilation=(1, 2)),
    "padded twice": nn.Sequential(nn.ZeroPad2d((1, 2, 0, 3)), conv(2, 3, 3, padding=1, stride=2)),
    "padded by a constant": nn.Sequential(nn.ConstantPad2d(1, 3.5), conv(2, 3, 3)),
    "cropped": nn.Sequential(nn.ZeroPad2d((-1, 0, 2, 0)), conv(2, 3, 3)),
    "circular": conv(2, 3, 3, padding=1, padding_mode="circular"),
    "circular, strided": conv(2, 3, 3, padding=2, stride=2, padding_mode="circular"),
    "reflect": conv(2, 3, 3, padding=2, padding_mode="reflect"),
    "replicate": conv(2, 3, 3, padding=2, padding_mode="replicate"),
    "upsampled": nn.Sequential(nn.Upsample(scale_factor=2), conv(2, 3, 3, padding=1)),
    "upsampled smoothly": nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), conv(2, 3, 3)
    ),
    "1x1 twice": nn.Sequential(conv(2, 3, 1), conv(3, 2, 1)),
    "1x1, strided": nn.Sequential(conv(2, 3, 1), conv(3, 2, 1, stride=2)),
    "shuffled": nn.Sequential(conv(2, 4, 3), nn.PixelShuffle(2), conv(1, 2, 3)),
    "transposed": nn.Sequential(nn.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1), conv(3, 2, 3)),
}


def shape_of(name):
    return (5,) if name == "two layers" else (2, 6, 6)


def jacobian(norms, shape):
    return materialise(JacobianOperator(norms.graph, torch.zeros(shape, dtype=torch.float64)))


@pytest.mark.parametrize("name", LINEAR)
def test_the_bound_of_a_linear_net_is_its_norm(name):
    shape = shape_of(name)
    norms = LayerNorms(graph_from(randomised(LINEAR[name]), *shape))
    matrix = jacobian(norms, shape)
    for norm, order in ORDERS.items():
        truth = float(torch.linalg.matrix_norm(matrix, order))
        bound = gains(norms, norm)[norms.graph.output]
        assert truth <= bound * (1 + 1e-13)
        assert bound <= truth * (1 + 1e-8)


def product(norms, norm):
    """The bound from layers alone."""
    found = {}
    for node in norms.graph.nodes:
        inputs = tuple(found[source] for source in node.inputs)
        found[node] = RULES[node.op]().gain(node, inputs, norm, norms) if node.op != "input" else 1.0
    return found[norms.graph.output]


def test_layers_between_activations_are_taken_together():
    net = nn.Sequential(conv(2, 4, 1), conv(4, 3, 1), nn.ReLU(), conv(3, 4, 1), conv(4, 3, 1), nn.ReLU())
    norms = LayerNorms(graph_from(randomised(net), 2, 40, 40))
    kernels = [layer.weight.detach().double().flatten(1) for layer in net if isinstance(layer, nn.Conv2d)]
    expected = torch.linalg.matrix_norm(kernels[1] @ kernels[0], 2) * torch.linalg.matrix_norm(
        kernels[3] @ kernels[2], 2
    )
    bound = gains(norms, "l2")[norms.graph.output]
    assert bound == pytest.approx(float(expected), rel=1e-9)
    assert bound < 0.9 * product(norms, "l2")


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        h = self.first(x)
        return self.second(h) + h


def test_a_branch_ends_a_chain():
    norms = LayerNorms(graph_from(randomised(Branching()), 4))
    truth = float(torch.linalg.matrix_norm(jacobian(norms, (4,)), 2))
    bound = gains(norms, "l2")[norms.graph.output]
    assert truth <= bound <= product(norms, "l2")
    assert all(norms.chain_to(node) is None for node in norms.graph.nodes if node.op != "input")


def test_an_activation_ends_a_chain():
    norms = LayerNorms(graph_from(randomised(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))), 4))
    assert gains(norms, "l2")[norms.graph.output] == product(norms, "l2")


def test_the_rows_are_those_of_the_layers():
    layers = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 4))
    norms = LayerNorms(graph_from(randomised(layers), 5))
    gains(norms, "l2")
    records = analyze_layers(norms)
    assert [record.description for record in records] == ["linear 5->7", "linear 7->4"]
    for record, layer in zip(records, layers, strict=True):
        truth = float(torch.linalg.matrix_norm(layer.weight.detach().double(), 2))
        assert record.spectral_norm.lower <= truth * (1 + 1e-12)
        assert truth <= record.spectral_norm.upper * (1 + 1e-12)
