"""What the numbers cost that noise on the layers leaves as they are."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from lipcert.analyses.generalization import BOUNDS, records
from lipcert.analyses.generalization.fixed import described
from lipcert.analyses.generalization.posterior import PLANS, posterior_record
from lipcert.analyses.generalization.posterior_weights import Weights, weights_of
from lipcert.graph import Graph
from lipcert.load.preprocess import Preprocess, insert_preprocess
from lipcert.samples import Samples
from tests import graphs
from tests.analyses.generalization.nets import evidence, wired
from tests.captured import graph_from

BIT = math.log(2)
WORD = 64 * BIT
HALF = 32 * BIT  # of a float32


def cost(graph: Graph) -> float:
    net = wired(graph)
    return described(net.norms.graph, net.noisy)


class _Net(nn.Module):
    """Two dense layers, the second twice where it is asked for, and something between them."""

    def __init__(self, kind: str, low: float = -0.1234567891234, high: float = 0.9876543212345) -> None:
        super().__init__()
        self.kind, self.low, self.high = kind, low, high
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.scale, self.prelu, self.norm = nn.Parameter(torch.arange(1.0, 4.0)), nn.PReLU(3), nn.LayerNorm(3)
        self.same, self.flags = nn.Parameter(torch.full((3,), 0.1)), torch.tensor([True, False, True])
        self.counts = torch.tensor([3, 1, 2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.first(x)
        match self.kind:
            case "clamp":
                h = h.clamp(self.low, self.high)
            case "scale":
                h = h * self.scale
            case "same":
                h = h * self.same
            case "prelu":
                h = self.prelu(h)
            case "norm":
                h = self.norm(h)
            case "flags":
                h = torch.where(self.flags, h, 0.0)
            case "counts":
                h = h * self.counts
            case "again":
                h = self.second(torch.relu(h))
            case "bias":
                h = torch.relu(h) + self.second.bias
        return self.second(torch.relu(h))


def test_of_layers_and_relu_everything_is_under_noise() -> None:
    assert cost(graph_from(_Net("plain"), 3)) == 0
    assert cost(graphs.conv()) == 0


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        ("clamp", 2 * WORD, 2 * WORD + 4 * BIT),  # as a loader leaves limits that were learned
        ("scale", 3 * HALF, 3 * HALF + 2 * BIT),
        ("counts", 3 * WORD, 3 * WORD + 2 * BIT),
        ("prelu", 10 * BIT, HALF),  # one slope, 0.25
        ("same", 5 * BIT, 20 * BIT),  # the float32 next to 0.1, once
        ("norm", 20 * BIT, WORD),  # ones, zeros and eps
        ("flags", 4 * BIT, 20 * BIT),
        ("bias", 3 * HALF, 3 * HALF + 2 * BIT),  # a layer's own, read elsewhere too
    ],
)
def test_every_other_number_is_paid_for(kind: str, least: float, most: float) -> None:
    assert least <= cost(graph_from(_Net(kind), 3)) <= most * (1 + 1e-9)


def test_round_numbers_are_cheap_and_all_numbers_share_less_than_one() -> None:
    plain = [cost(graph_from(_Net("clamp", -ends, ends), 3)) for ends in (1.0, 6.0, 0.25, 0.333333)]
    assert plain == sorted(plain)
    assert plain[1] < 24 * BIT
    numbers = {sign * float(f"{whole}e{e}") for sign in (1, -1) for whole in range(1, 40) for e in range(-3, 4)}
    numbers |= {float(torch.tensor(number)) for number in numbers}
    assert described(_scaled(1e300), ()) < HALF < described(_scaled(math.inf), ())
    assert 0.02 < sum(math.exp(-described(_scaled(number), ())) for number in numbers) < 1


def _scaled(number: float) -> Graph:
    graph = torch.fx.Graph()
    graph.output(graph.call_function(torch.ops.aten.mul.Tensor, (graph.placeholder("x"), number)))
    return Graph(torch.fx.GraphModule(nn.Module(), graph), (3,), names={})


def test_preprocessing_is_paid_for() -> None:
    graph = insert_preprocess(graphs.conv(), Preprocess(mean=(0.1307, 0.2), std=(0.3081, 0.3)))
    assert 4 * HALF <= cost(graph) <= 4 * HALF + 4.01 * BIT
    weights = weights_of(graph)
    assert isinstance(weights, Weights)
    assert described(weights.graph, weights.start) == cost(graph)


def test_a_layer_that_stands_twice_costs_its_energy_twice() -> None:
    """Its bound is that of the network with a copy of it."""
    twice = _Net("again")
    copied = nn.Sequential(twice.first, nn.ReLU(), twice.second, nn.ReLU(), nn.Linear(3, 3))
    copied[4].load_state_dict(twice.second.state_dict())
    one, other = wired(graph_from(twice, 3)), wired(graph_from(copied, 3))
    assert len(one.layers) == 3
    assert [layer.energy for layer in one.layers] == pytest.approx([layer.energy for layer in other.layers])
    assert one.change([0.1, 0.2, 0.3]) == pytest.approx(other.change([0.1, 0.2, 0.3]))
    assert cost(graph_from(twice, 3)) == 0


def test_bounds_rise_by_the_price() -> None:
    """Limits beyond all values, which cost little, and such that cost 64 bits each: the noise is the same."""
    nets = [wired(graph_from(_Net("clamp", -high, high), 3)) for high in (64.0, 64.0123456789123)]
    for net in nets:
        for layer, other in zip(net.layers, nets[0].layers, strict=True):
            object.__setattr__(layer, "energy", other.energy)
    margins = torch.full((300_000,), 1500.0)
    cheap, dear = (records(BOUNDS["layerwise-pac-bayes"](), evidence(net, margins, circuit=net))[0] for net in nets)
    more = dear.terms["fixed_bits"] - cheap.terms["fixed_bits"]
    assert more > 80
    budgets = [2 * 10 ** (2 * one.terms["log10_gap"]) * 300_000 for one in (cheap, dear)]
    assert budgets[1] - budgets[0] == pytest.approx(more * BIT, rel=1e-6)
    assert cheap.log10_value < dear.log10_value


def test_the_posterior_pays_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANS, "default", replace(PLANS["default"], steps=5, least=1, draws=40))
    inputs = graphs.random(50, 3, seed=7)
    data = Samples(inputs=inputs, labels=(inputs[:, 0] > 0).long())
    plain, clamped = (posterior_record(graph_from(_Net(kind), 3), data).terms for kind in ("plain", "clamp"))
    assert clamped["prior_choice"] - plain["prior_choice"] == pytest.approx(2 * WORD + 4 * BIT)
