"""Exact Jacobians against closed forms, a second implementation, and finite differences."""

import pytest
import torch

from lipcert.graph.jacobian import jacobians
from tests import graphs

NETS = {
    "toy": graphs.toy,
    "mlp": lambda: graphs.mlp(5, 7, 3),
    "wide": lambda: graphs.mlp(3, 4, 6, activation=torch.ops.aten.tanh.default),
    "conv": graphs.conv,
}


@pytest.fixture(params=NETS)
def graph(request):
    return NETS[request.param]().to(dtype=torch.float64)


def test_toy_closed_form():
    assert jacobians(graphs.toy(), torch.ones(1, 2)).tolist() == [[[2.0, 1.0], [1.0, 1.0]]]


def test_agrees_with_autograd_functional(graph):
    x = graphs.random(5, *graph.input_shape, dtype=torch.float64)
    expected = torch.stack(
        [torch.autograd.functional.jacobian(lambda v: graph(v[None])[0], row).flatten(1) for row in x]
    )
    torch.testing.assert_close(jacobians(graph, x, batch_size=2), expected, rtol=1e-12, atol=1e-12)


def test_agrees_with_finite_differences(graph):
    x = graphs.random(1, *graph.input_shape, seed=3, dtype=torch.float64)
    size = x.numel()
    steps = 1e-6 * torch.eye(size, dtype=torch.float64).reshape(size, *graph.input_shape)
    differences = (graph(x + steps) - graph(x - steps)) / 2e-6
    torch.testing.assert_close(jacobians(graph, x)[0], differences.T, rtol=1e-6, atol=1e-7)


def test_constant_logits_have_zero_jacobian():
    graph = graphs.mlp_of([(torch.zeros(3, 4), torch.ones(3))])
    assert torch.equal(jacobians(graph, torch.rand(2, 4)), torch.zeros(2, 3, 4))


def test_no_samples():
    assert jacobians(graphs.toy(), torch.zeros(0, 2)).shape == (0, 2, 2)


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        jacobians(graphs.toy(), torch.zeros(1, 3))
