"""The network's Lipschitz constant: known values, laws, and soundness against sampled steepness."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lipcert.analyses.layers import analyze_layers, sketch_layers
from lipcert.analyses.lipschitz import Constants, analyze_lipschitz, gains, upper_constants
from lipcert.norms.witness import MARGIN, largest_column_sum, steepness
from lipcert.operators import AdjointOperator, DenseOperator, JacobianOperator, materialise
from lipcert.records import Enclosure, Skipped
from lipcert.rules import LayerNorms
from tests import graphs
from tests.captured import graph_from, randomised
from tests.graphs import random

ORDERS = {"l2": 2, "linf": math.inf, "l1": 1}


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.branch = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ELU(), nn.Conv2d(4, 4, 1))
        self.pool, self.last = nn.MaxPool2d(3, 2, 1), nn.Linear(16, 3)

    def forward(self, x):
        x = self.first(x)
        return self.last(self.pool(F.silu(x + self.branch(x))).flatten(1))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.last = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(5, 3, 3, stride=2), nn.Linear(3, 4)

    def forward(self, x):
        x = torch.cat([x, torch.sigmoid(self.one(x))], 1)
        return self.last(F.gelu(self.two(x)).mean((2, 3)))


NETS = {
    "mlp": (lambda: graphs.mlp(6, 8, 5, 3), (6,)),
    "tanh": (lambda: graphs.mlp(5, 9, 3, activation=torch.ops.aten.tanh.default), (5,)),
    "conv": (graphs.conv, (2, 6, 6)),
    "residual": (lambda: graph_from(randomised(Residual()), 2, 4, 4), (2, 4, 4)),
    "concatenating": (lambda: graph_from(randomised(Dense()), 2, 5, 5), (2, 5, 5)),
}


@pytest.fixture(params=NETS, scope="module")
def net(request):
    make, shape = NETS[request.param]
    return LayerNorms(make()), shape


def by_norm(records):
    return {record.norm: record.value for record in records}


def test_the_toy_net():
    norms = LayerNorms(graphs.toy())
    first, second = analyze_layers(norms)
    assert first.spectral_norm.upper == pytest.approx(2.572554, abs=1e-6)
    assert second.spectral_norm.upper == pytest.approx(math.sqrt(3), rel=1e-12)
    values = by_norm(analyze_lipschitz(Constants(norms), inputs=torch.ones(1, 2)))
    assert values["l2"].upper == pytest.approx(4.455794, abs=1e-6)
    assert values["l2"].lower == pytest.approx((3 + math.sqrt(5)) / 2, rel=2e-9)
    assert values["linf"].lower == pytest.approx(3.0, rel=2e-9)
    assert values["linf"].upper == pytest.approx(3.0 * 2.0)
    assert values["l1"].upper == pytest.approx(4.0 * 2.0)


@pytest.mark.parametrize("norm", ORDERS)
def test_no_sampled_change_beats_the_upper_end(net, norm):
    norms, shape = net
    upper = gains(norms, norm)[norms.graph.output]
    x = random(400, *shape, seed=1, dtype=torch.float64) * 2
    for size in (1e-5, 1e-1, 10.0):
        step = random(400, *shape, seed=2, dtype=torch.float64) * size
        change = norms.graph(x + step) - norms.graph(x)
        out, inp = (torch.linalg.vector_norm(v.flatten(1), ORDERS[norm], dim=1) for v in (change, step))
        assert (out <= upper * inp * (1 + 1e-9)).all()


def test_the_lower_end_is_a_jacobian_norm(net):
    norms, shape = net
    samples = random(3, *shape, seed=5)
    for norm, value in by_norm(analyze_lipschitz(Constants(norms), inputs=samples)).items():
        jacobians = [materialise(JacobianOperator(norms.graph, x)) for x in samples.double()]
        seen = max(float(torch.linalg.matrix_norm(j, ORDERS[norm])) for j in jacobians)
        assert value.lower >= seen * (1 - 1e-4)
        assert value.lower <= value.upper


def test_one_layer_is_known_exactly():
    norms = LayerNorms(graphs.mlp_of([(random(4, 6), torch.zeros(4))]))
    for value in by_norm(analyze_lipschitz(Constants(norms))).values():
        assert value.gap <= 3 * MARGIN


def test_rescaling_between_relu_layers_changes_nothing():
    weights = [
        (random(5, 4, seed=s) if s == 0 else random(3, 5, seed=s), torch.zeros(5 if s == 0 else 3)) for s in (0, 1)
    ]
    moved = [(weights[0][0] * 4.0, weights[0][1]), (weights[1][0] / 4.0, weights[1][1])]
    for norm in ORDERS:
        before, after = (upper_constants(LayerNorms(graphs.mlp_of(layers)), norm).whole for layers in (weights, moved))
        assert after == pytest.approx(before, rel=1e-12)


def test_scaling_a_layer_scales_the_constant():
    weights = [(random(5, 4), torch.zeros(5)), (random(3, 5, seed=1), torch.zeros(3))]
    larger = [weights[0], (weights[1][0] * 3.0, weights[1][1])]
    one, three = (
        by_norm(analyze_lipschitz(Constants(LayerNorms(graphs.mlp_of(layers))))) for layers in (weights, larger)
    )
    for norm in ORDERS:
        assert three[norm].upper == pytest.approx(3 * one[norm].upper, rel=1e-6)
        assert three[norm].lower == pytest.approx(3 * one[norm].lower, rel=1e-6)


def test_what_certificates_rest_on():
    norms = LayerNorms(graphs.toy())
    found = upper_constants(norms, "l2")
    assert found.before_last == pytest.approx(2.572554, abs=1e-6)
    assert found.whole == pytest.approx(4.455794, abs=1e-6)


def test_preprocessing_counts():
    net = graphs.mlp(4, 5, 3)
    plain = upper_constants(LayerNorms(net), "l2").whole
    scaled = graph_from(lambda x: net((x - 0.5) / 0.25), 4)
    assert upper_constants(LayerNorms(scaled), "l2").whole == pytest.approx(4 * plain, rel=1e-6)


def test_ops_without_a_rule_are_named():
    norms = LayerNorms(graph_from(lambda x: torch.where(x > 0, x, x.cumprod(1)), 4))
    for value in by_norm(analyze_lipschitz(Constants(norms))).values():
        assert isinstance(value, Skipped)
        assert set(value.operators) >= {"gt"}
    assert upper_constants(norms, "l2").whole is None


def test_attention_is_unbounded_with_a_witness():
    norms = LayerNorms(graph_from(lambda x: torch.softmax(x @ x.transpose(1, 2), -1) @ x, 3, 4))
    for value in by_norm(analyze_lipschitz(Constants(norms))).values():
        assert isinstance(value, Enclosure)
        assert value.unbounded
        assert value.upper is None
        assert value.lower > 0
        assert "bmm" in value.method
    assert upper_constants(norms, "linf").whole is None


def test_many_outputs_take_the_iterative_route():
    """Against the written-out matrix: below it always, and near it."""
    matrix = DenseOperator(random(90, 20, dtype=torch.float64))
    found = steepness(matrix)
    for norm, order in ORDERS.items():
        truth = float(torch.linalg.matrix_norm(matrix.weight, order))
        assert 0.6 * truth <= found[norm] <= truth
    assert largest_column_sum(AdjointOperator(matrix)) <= float(matrix.weight.abs().sum(1).max()) * (1 + 1e-12)


def test_it_is_deterministic():
    runs = [analyze_lipschitz(Constants(LayerNorms(graphs.conv(), seed=7))) for _ in range(2)]
    assert runs[0] == runs[1]


def test_sketches_name_the_same_layers():
    graph = NETS["residual"][0]()
    records, sketches = analyze_layers(LayerNorms(graph)), sketch_layers(graph)
    keys = ("name", "op", "description", "input_shape", "output_shape", "parameters")
    assert [[getattr(r, k) for k in keys] for r in records] == [[getattr(s, k) for k in keys] for s in sketches]


class Nothing(nn.Module):
    def forward(self, x):
        return x - torch.relu(x) + torch.relu(-x)


def test_a_kink_is_no_witness():
    """x - relu(x) + relu(-x) is 0 everywhere; at 0 autograd says 1, and 1 is no slope of it."""
    norms = LayerNorms(graph_from(Nothing(), 3))
    for value in by_norm(analyze_lipschitz(Constants(norms), inputs=torch.zeros(4, 3))).values():
        assert value.lower == 0


def test_a_product_beyond_float64_is_no_bound():
    net = nn.Sequential(*(nn.LayerNorm(4, eps=1e-12) for _ in range(60)))
    norms = LayerNorms(graph_from(net.eval(), 4))
    for record in analyze_lipschitz(Constants(norms)):
        assert record.value.upper is None
        assert "too large" in record.value.method
    assert upper_constants(norms, "l2").whole is None
