"""Layers with biases folded in: their norms against the singular values of the whole augmented matrices."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.analyses.generalization import Architecture, architecture
from lipcert.analyses.generalization.architecture import augmented
from lipcert.records import Skipped
from lipcert.rules import LayerNorms
from tests import graphs
from tests.analyses.generalization.nets import WEIGHTS, net, unbiased

aten = torch.ops.aten


class Pooled(torch.nn.Module):
    """Preprocessing, convolution, ReLU, max pooling, average pooling, dense layer."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride
        self.register_buffer("mean", torch.full((1, 2, 1, 1), 0.4))
        self.register_buffer("std", torch.tensor([0.2, 0.3]).reshape(1, 2, 1, 1))
        self.register_buffer("kernel", graphs.random(3, 2, 3, 3) * 0.3)
        self.register_buffer("kernel_bias", graphs.random(3, seed=1))
        self.register_buffer("weight", graphs.random(3, 4, seed=2))

    def forward(self, x):
        x = aten.div.Tensor(aten.sub.Tensor(x, self.mean), self.std)
        x = aten.convolution.default(x, self.kernel, self.kernel_bias, [1, 1], [1, 1], [1, 1], False, [0, 0], 1)
        x = aten.max_pool2d.default(aten.relu.default(x), [2, 2], [self.stride, self.stride])
        x = aten.mean.dim(x, [2, 3])
        return aten.mm.default(x, self.weight)


GRAPHS = {
    "toy": graphs.toy(),
    "mlp": graphs.mlp(5, 7, 6, 3),
    "unbiased": unbiased(*WEIGHTS),
    "conv": graphs.conv(),
    "pooled": graphs.graph_of(Pooled(2), (2, 6, 6)),
    "leaky": graphs.mlp(4, 5, 3, activation=lambda x: aten.leaky_relu.default(x, 0.2)),
}
EVERY = pytest.mark.parametrize("name", GRAPHS)


def matrices(name):
    """Each layer's augmented matrix, from its values at 0 and at the unit vectors."""
    found = net(GRAPHS[name])
    for index, layer in enumerate(found.layers):
        first = layer.links[0][0]
        size = layer.fan_in - found.biased
        points = torch.cat([torch.zeros(1, size, dtype=torch.float64), torch.eye(size, dtype=torch.float64)])
        rows = []
        for value in points:
            x = value.reshape(first.inputs[0].shape)
            for node, _ in layer.links:
                x = node.run(x)
            rows.append(x.flatten())
        values = torch.stack(rows)
        matrix, bias = (values[1:] - values[0]).mT, values[0]
        if not found.biased:
            yield layer, matrix
            continue
        whole = torch.cat([matrix, bias[:, None]], dim=1)
        one = torch.zeros(1, size + 1, dtype=torch.float64)
        one[0, -1] = 1
        yield layer, whole if index == found.depth - 1 else torch.cat([whole, one])


@EVERY
def test_norms_enclose_those_of_the_whole_matrix(name):
    for layer, matrix in matrices(name):
        assert tuple(matrix.shape) == (layer.fan_out, layer.fan_in)
        true = {
            "spectral": float(torch.linalg.matrix_norm(matrix, 2)),
            "frobenius": float(torch.linalg.matrix_norm(matrix)),
            "rows": float(matrix.norm(dim=1).sum()),
        }
        for norm, value in true.items():
            assert value * (1 - 1e-12) <= getattr(layer, norm) <= value * 3, norm


@pytest.mark.parametrize("name", ["toy", "mlp", "unbiased", "leaky"])
def test_frobenius_and_row_norms_of_one_dense_layer_are_exact(name):
    for layer, matrix in matrices(name):
        assert layer.frobenius == pytest.approx(float(matrix.norm()), rel=1e-8)
        assert layer.rows == pytest.approx(float(matrix.norm(dim=1).sum()), rel=1e-8)


@given(st.floats(0.01, 50), st.floats(0, 50), st.booleans())
@settings(max_examples=50, deadline=None)
def test_the_norm_with_a_bias_is_that_of_two_by_two(spectral, bias, last):
    rows = [[spectral, bias]] + ([] if last else [[0.0, 1.0]])
    true = float(torch.linalg.matrix_norm(torch.tensor(rows, dtype=torch.float64), 2))
    assert true * (1 - 1e-14) <= augmented(spectral, bias, last=last) <= true * (1 + 1e-7)


def test_pooling_is_no_activation_on_entries():
    assert not net(GRAPHS["pooled"]).elementwise
    assert net(GRAPHS["conv"]).elementwise


@pytest.mark.parametrize(
    ("graph", "word"),
    [
        (graphs.mlp(4, 5, 3, activation=aten.tanh.default), "tanh"),
        (graphs.mlp(4, 5, 3, activation=lambda x: aten.leaky_relu.default(x, -1.5)), "leaky_relu"),
        (graphs.mlp(4, 5, 3, activation=lambda x: aten.add.Tensor(x, aten.relu.default(x))), "add"),
        (graphs.graph_of(Pooled(1), (2, 6, 6)), "max_pool2d"),
        (unbiased(WEIGHTS[0], torch.zeros(2, 3)), "zero"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_theorems_do_not_cover_is_skipped_by_name(graph, word):
    found = architecture(LayerNorms(graph))
    assert isinstance(found, Skipped)
    assert word in found.reason + " ".join(found.operators)


@given(st.floats(0.05, 20), st.floats(0.05, 20))
@settings(max_examples=15, deadline=None)
def test_rebalancing_layers_changes_nothing(first, second):
    weights = [graphs.random(*shape, seed=i, dtype=torch.float64) for i, shape in enumerate([(6, 4), (5, 6), (3, 5)])]
    scaled = [weights[0] * first, weights[1] * second, weights[2] / (first * second)]
    one, other = net(unbiased(*weights)), net(unbiased(*scaled))
    for name in ("log_spectral_complexity", "log_phi", "log_product", "log_frobenius_product"):
        assert math.exp(getattr(one, name) - getattr(other, name)) == pytest.approx(1, rel=1e-9)


def test_a_network_without_layers_that_stretch_is_refused():
    with pytest.raises(ValueError, match="zero"):
        Architecture(
            layers=(net(GRAPHS["toy"]).layers[0].__class__(spectral=0.0, frobenius=0.0, rows=0.0, fan_in=1, fan_out=1),)
        )
