"""Capped layers: the map is the layer's, the cap holds with certificate, and nothing is ever raised."""

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lipcert.norms import spectral_norm
from lipcert.operators import materialise
from lipcert.rules import LayerNorms
from lipcert.training import SpectralCap, cap, finish
from lipcert.training.linear_layers import linear_layers
from tests.captured import graph_from
from tests.training.nets import drawn, seeded

_CONVOLUTIONS = {
    1: (nn.Conv1d, nn.ConvTranspose1d),
    2: (nn.Conv2d, nn.ConvTranspose2d),
    3: (nn.Conv3d, nn.ConvTranspose3d),
}


@st.composite
def layers(draw):
    """A layer with zero padding, and a shape it takes."""
    axes = draw(st.integers(0, 3))
    if not axes:
        return nn.Linear(draw(st.integers(1, 6)), draw(st.integers(1, 6)), bias=draw(st.booleans())), None
    transposed, groups = draw(st.booleans()), draw(st.sampled_from([1, 2]))
    stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    more = {"padding": draw(st.integers(0, 1))}
    if transposed:
        more["output_padding"] = draw(st.integers(0, max(stride, dilation) - 1))
    elif stride == 1 and draw(st.booleans()):
        more["padding"] = "same"
    kernel = draw(st.integers(2, 3))
    kind = _CONVOLUTIONS[axes][transposed]
    layer = kind(groups * draw(st.integers(1, 2)), groups * 2, kernel, stride, groups=groups, dilation=dilation, **more)
    return layer, (layer.in_channels, *[draw(st.integers(5, 6)) for _ in range(axes)])


def _prepared(case):
    layer, shape = case
    layer = drawn(layer, seed=1, scale=3.0)
    return layer, shape or (layer.in_features,)


@settings(max_examples=40)
@given(layers())
def test_a_map_is_its_layer_and_its_operator(case):
    layer, shape = _prepared(case)
    x = torch.randn(1, *shape, generator=seeded(), dtype=torch.float64)
    (only,) = linear_layers(nn.Sequential(layer), x)["0"]
    zero = torch.zeros_like(x)
    assert torch.allclose(only.apply(layer.weight, x), layer(x) - layer(zero))
    matrix = materialise(only.operator(layer.weight))
    assert torch.allclose(matrix @ x.flatten(), (layer(x) - layer(zero)).flatten())


@settings(max_examples=10)
@given(layers(), st.sampled_from([0.3, 1.0, 2.5]), st.sampled_from([torch.float32, torch.float64]))
def test_a_finished_layer_keeps_its_cap_with_certificate(case, beta, dtype):
    layer, shape = _prepared(case)
    net = nn.Sequential(layer).to(dtype)
    x = torch.randn(2, *shape, generator=seeded(), dtype=dtype)
    exact = float(torch.linalg.matrix_norm(materialise(linear_layers(net, x)["0"][0].operator(layer.weight)), 2))
    before = layer.weight.detach().clone()
    cap(net, x, beta=beta, generator=seeded())
    for _ in range(3):
        net(x)
    (found,) = finish(net)
    assert not nn.utils.parametrize.is_parametrized(layer)
    assert found.norm.upper <= beta * (1 + 1e-6)
    # the report's own layer certificate, by another road
    norms = LayerNorms(graph_from(net, *shape))
    (node,) = [node for node in norms.graph.nodes if norms.operator(node) is not None]
    assert norms.norm(node, "l2").upper <= beta * (1 + 1e-6)
    assert norms.norm(node, "l2").lower >= min(beta, exact) * 0.97
    if exact < beta * 0.999:
        assert torch.equal(layer.weight, before)


def _net():
    parts = [nn.Conv2d(1, 4, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(), nn.Flatten()]
    return drawn(nn.Sequential(*parts, nn.Linear(54, 5)), scale=4.0).float()


def test_capped_nets_train_and_keep_their_cap():
    """The loss falls while the norms stay put, one power step a training step being enough."""
    net, generator = _net(), seeded()
    inputs = torch.rand(64, 1, 16, 16, generator=generator)
    labels = torch.randint(5, (64,), generator=generator)
    cap(net, inputs[:1], beta=1.5, generator=generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = F.cross_entropy(net(inputs), labels)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    net.eval()
    maps = linear_layers(net, inputs[:1])
    running = [float(spectral_norm(maps[name][0].operator(net.get_submodule(name).weight)).upper) for name in maps]
    assert losses[-1] < losses[0]
    assert max(running) < 1.5 * 1.05
    logits = net(inputs)
    found = finish(net)
    assert [layer.name for layer in found] == ["0", "2", "5"]
    assert all(layer.norm.upper <= 1.5 * (1 + 1e-6) for layer in found)
    assert torch.allclose(net(inputs), logits, atol=0.1)


def test_evaluation_moves_nothing_and_copies_are_free():
    net = _net()
    cap(net, torch.rand(1, 1, 16, 16), beta=1.0, generator=seeded())
    other = copy.deepcopy(net)
    state = {key: value.clone() for key, value in net.state_dict().items()}
    net.eval()(torch.rand(2, 1, 16, 16, generator=seeded()))
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())
    other.train()(torch.rand(2, 1, 16, 16, generator=seeded()))
    moved = [key for key, value in other.state_dict().items() if not torch.equal(value, state[key])]
    assert moved
    assert all("vector" in key for key in moved)
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())


def test_the_gradient_flows_through_the_norm():
    """By central differences at a converged vector, where the vector's own movement is of second order."""
    net = drawn(nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1)))
    x = torch.rand(1, 1, 6, 6, generator=seeded(), dtype=torch.float64)
    cap(net, x, beta=0.5, generator=seeded())
    chain = net[0].parametrizations.weight
    with torch.no_grad():
        chain.original.mul_(5.0)
    chain[0].settle(chain.original.detach())
    net.eval()
    slope = torch.randn(chain.original.shape, generator=seeded(1), dtype=torch.float64)
    (gradient,) = torch.autograd.grad(net(x).square().sum(), chain.original)

    def moved(by):
        with torch.no_grad():
            chain.original.add_(slope, alpha=by)
            chain[0].settle(chain.original.detach())
            value = float(net(x).square().sum())
            chain.original.sub_(slope, alpha=by)
        return value

    assert float((gradient * slope).sum()) == pytest.approx((moved(1e-5) - moved(-1e-5)) / 2e-5, rel=2e-3)


def test_caps_can_differ_and_layers_can_go_without():
    net = _net()
    cap(net, torch.rand(1, 1, 16, 16), beta={"0": 0.5, "5": 2.0}, generator=seeded())
    found = {layer.name: layer.norm.upper for layer in finish(net)}
    assert set(found) == {"0", "5"}
    assert found["0"] <= 0.5 * (1 + 1e-6)
    assert found["5"] <= 2.0 * (1 + 1e-6)


def test_a_layer_used_at_two_sizes_is_capped_at_the_worse():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1, bias=False)

        def forward(self, x):
            return self.conv(self.conv(x)[..., ::2, ::2]).flatten(1)

    net = Twice()
    with torch.no_grad():
        net.conv.weight.fill_(1.0)
    cap(net, torch.rand(1, 1, 8, 8), beta=2.0, generator=seeded())
    (found,) = finish(net)
    # all ones, 3x3, one channel: (1 + 2 cos(pi / (n + 1)))^2 grows with n
    assert found.norm.upper == pytest.approx(2.0, rel=1e-5)
    assert float(net.conv.weight[0, 0, 0, 0].detach()) == pytest.approx(2.0 / 8.290859369, rel=1e-5)


def test_what_has_no_certified_norm_is_refused():
    with pytest.raises(ValueError, match="circular"):
        cap(
            nn.Sequential(nn.Conv2d(1, 1, 3, padding_mode="circular")),
            torch.rand(1, 1, 8, 8),
            beta=1.0,
            generator=seeded(),
        )
    with pytest.raises(ValueError, match="beta"):
        SpectralCap((), torch.zeros(2, 2), 0.0, seeded())
