"""Rows for layers that are not affine: their true constants, or that there is none."""

import math

import pytest
import torch
from torch import nn

from lipcert.analyses.layers import analyze_layers, sketch_layers
from lipcert.analyses.lipschitz import Constants, analyze_lipschitz
from lipcert.operators import JacobianOperator, materialise
from lipcert.records import Skipped, Soundness
from lipcert.rules import LayerNorms
from tests.captured import graph_from, randomised
from tests.graphs import random

ORDERS = {"spectral_norm": 2, "linf_norm": math.inf, "l1_norm": 1}


def rows(net, *shape):
    norms = LayerNorms(graph_from(randomised(net), *shape))
    return norms, analyze_layers(norms)


@pytest.mark.parametrize(
    ("net", "shape", "windows"),
    [
        (nn.MaxPool2d(3, 2), (1, 9, 9), 4),
        (nn.MaxPool2d(3, 1, 1), (1, 6, 6), 9),
        (nn.MaxPool2d((3, 2), (2, 1)), (1, 7, 5), 4),
        (nn.MaxPool1d(5, 2), (1, 15), 3),
        (nn.AdaptiveMaxPool2d(3), (1, 4, 4), 4),
    ],
)
def test_overlapping_max_pooling_is_as_steep_as_it_says(net, shape, windows):
    """One large entry under all its windows, moved, moves as many outputs."""
    norms, (record,) = rows(net, *shape)
    assert record.description.startswith(("max pool", "adaptive max pool"))
    assert isinstance(record.frobenius_norm, Skipped)
    steepest = dict.fromkeys(ORDERS, 0.0)
    for place in range(math.prod(shape)):
        point = 0.01 * random(*shape, dtype=torch.float64)
        point.view(-1)[place] = 5.0
        jacobian = materialise(JacobianOperator(norms.graph, point))
        steepest = {n: max(s, float(torch.linalg.matrix_norm(jacobian, ORDERS[n]))) for n, s in steepest.items()}
    assert steepest["spectral_norm"] == pytest.approx(math.sqrt(windows))
    for name, value in steepest.items():
        found = getattr(record, name)
        assert found.soundness is Soundness.EXACT
        assert found.lower <= value * (1 + 1e-12)
        assert value <= found.upper * (1 + 1e-12)
        assert found.gap < 1e-12


def test_disjoint_max_pooling_needs_no_row():
    _, found = rows(nn.Sequential(nn.Conv2d(1, 2, 1), nn.MaxPool2d(2)), 1, 6, 6)
    assert [record.op for record in found] == ["convolution"]


@pytest.mark.parametrize(
    ("net", "shape"),
    [(nn.LayerNorm(6), (6,)), (nn.GroupNorm(2, 4), (4, 3)), (nn.InstanceNorm2d(2, affine=True), (2, 3, 3))],
)
def test_normalisation_has_its_true_constant(net, shape):
    norms, (record,) = rows(net, *shape)
    jacobian = materialise(JacobianOperator(norms.graph, torch.ones(shape, dtype=torch.float64)))
    for name, order in ORDERS.items():
        found, steep = getattr(record, name), float(torch.linalg.matrix_norm(jacobian, order))
        assert found.lower <= steep * (1 + 1e-9)
        assert steep <= found.upper * (1 + 1e-9)
    assert record.spectral_norm.lower > 100
    assert record.spectral_norm.gap < 1


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.last = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(32, 3)

    def forward(self, x):
        mixed, _ = self.attention(x, x, x, need_weights=False)
        return self.last(mixed.flatten(1))


def test_attention_has_rows_for_its_projections_and_no_made_up_number():
    norms, found = rows(Attention(), 4, 8)
    linear = [record for record in found if record.description.startswith("linear")]
    assert [record.description for record in linear] == [
        "linear 8->24 on 4 rows",
        "linear 8->8 on 4 rows",
        "linear 32->3",
    ]
    assert all(record.spectral_norm.upper is not None for record in linear)
    products = [record for record in found if record.op == "bmm"]
    assert [record.description for record in products] == ["attention product 4x4 by 4x4"] * 2
    assert all(record.spectral_norm.unbounded and record.share is None for record in products)
    for record in analyze_lipschitz(Constants(norms)):
        assert record.value.unbounded
        assert "dot-product attention" in record.value.method


def test_a_product_of_two_inputs_is_called_so():
    _, found = rows(lambda_module(), 2, 4)
    assert [record.description for record in found] == ["product of two inputs 2x4 by 4x2"]


def lambda_module():
    class Product(nn.Module):
        def forward(self, x):
            return torch.bmm(x, x.transpose(1, 2)).flatten(1)

    return Product()


def test_the_sketch_names_the_same_layers():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(3, 2), nn.Flatten(), nn.LayerNorm(8), nn.Linear(8, 2))
    graph = graph_from(randomised(net), 1, 8, 8)
    records = analyze_layers(LayerNorms(graph))
    assert [sketch.description for sketch in sketch_layers(graph)] == [record.description for record in records]
    assert [record.op for record in records][1] == "max_pool2d_with_indices"
