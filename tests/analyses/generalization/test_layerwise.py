"""Noise on layers: how far it moves logits, how large it is, what it costs, and the bound that comes of it."""

import math

import pytest
import torch
from scipy import integrate, stats
from torch import nn

from lipcert.analyses.generalization import BOUNDS, Circuit, circuit, records
from lipcert.analyses.generalization.circuit import TAIL
from lipcert.analyses.generalization.layerwise import chosen_noise
from lipcert.analyses.lipschitz.product import gains
from lipcert.graph.intermediate import values_of
from lipcert.operators.materialise import materialise
from lipcert.records import Skipped
from lipcert.rules import RULES, LayerNorms
from tests import graphs
from tests.analyses.generalization.nets import evidence, wired
from tests.captured import graph_from

DOUBLE = torch.float64


class _Residual(nn.Module):
    """A strided convolution, a block with a skip connection and a curved gate, a pooling, a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.inner = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.outer = nn.Conv2d(4, 4, 1, bias=False)
        self.head = nn.Linear(4, 3)
        with torch.no_grad():
            for index, tensor in enumerate(self.parameters()):
                tensor.copy_(0.4 * graphs.random(*tensor.shape, seed=index))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.stem(x))
        h = torch.relu(h + self.outer(nn.functional.silu(self.inner(h))))
        return self.head(h.mean((2, 3)))


NETS = {
    "mlp": graphs.mlp(4, 6, 5, 3),
    "conv": graphs.conv(),
    "tanh": graphs.mlp(4, 6, 3, activation=torch.ops.aten.tanh.default),
    "residual": graph_from(_Residual(), 2, 6, 6),
}
EVERY = pytest.mark.parametrize("name", NETS)


def attributes(net: Circuit, index: int) -> list[str]:
    """The tensors of one layer, by attribute."""
    sources = net.layers[index].node.raw.all_input_nodes
    return [str(source.target) for source in sources if source.op == "get_attr"]


def drawn(net: Circuit, sigmas, generator) -> dict[str, torch.Tensor]:
    """Every tensor of every layer with noise on it."""
    found = {}
    for index, sigma in enumerate(sigmas):
        for name in attributes(net, index):
            tensor = net.norms.graph.tensors[name]
            found[name] = tensor + sigma * torch.randn(tensor.shape, generator=generator, dtype=DOUBLE)
    return found


def moved(graph, tensors, x) -> float:
    """How far the logits of any of these inputs move when tensors are replaced."""
    with torch.no_grad():
        changed = torch.func.functional_call(graph.module, tensors, (x,))
        return float((changed - graph(x)).norm(dim=1).max())


def in_one_direction(net: Circuit, sigmas, generator) -> dict[str, torch.Tensor]:
    """Noise that is as large as it may be, all of it in one singular direction of each dense layer."""
    found = {}
    for index, (layer, sigma) in enumerate(zip(net.layers, sigmas, strict=True)):
        for name in attributes(net, index):
            tensor = net.norms.graph.tensors[name]
            sides = [torch.randn(size, generator=generator, dtype=DOUBLE) for size in tensor.shape]
            units = [side / side.norm() for side in sides]
            size = layer.matrix if len(units) == 2 else layer.bias
            found[name] = tensor + sigma * size * (torch.outer(*units) if len(units) == 2 else units[0])
    return found


@pytest.mark.parametrize("name", ["mlp", "tanh"])
def test_no_noise_within_the_bounds_moves_the_logits_further(name):
    net, generator = wired(NETS[name]), torch.Generator().manual_seed(5)
    graph = net.norms.graph
    x = (2 * torch.rand(200, *graph.input_shape, generator=generator, dtype=DOUBLE) - 1).sign()
    for sigmas in ([0.01] * len(net.layers), [0.3, *[0.0] * (len(net.layers) - 1)], [0.1] * len(net.layers)):
        most = net.change(sigmas)
        assert max(moved(graph, in_one_direction(net, sigmas, generator), x) for _ in range(60)) <= most


@EVERY
@pytest.mark.parametrize("allowed", [0.01, 1.0])
def test_noise_moves_the_logits_less_than_is_said(name, allowed):
    net, generator = wired(NETS[name]), torch.Generator().manual_seed(0)
    graph = net.norms.graph
    noise = chosen_noise(net, allowed)
    assert net.change(noise.sigmas) <= allowed
    x = 2 * torch.rand(200, *graph.input_shape, generator=generator, dtype=DOUBLE) - 1
    x = torch.cat([x, x.sign()])
    worst = [
        float(
            (torch.func.functional_call(graph.module, drawn(net, noise.sigmas, generator), (x,)) - graph(x))
            .norm(dim=1)
            .max()
        )
        for _ in range(40)
    ]
    assert sum(move > allowed for move in worst) <= TAIL * 40
    assert max(worst) > allowed / 1e5  # and it is noise at all


GEOMETRIES = {
    "strided": nn.Conv2d(2, 3, 5, stride=2, padding=2),
    "more stride than kernel": nn.Conv2d(2, 3, 2, stride=3),
    "dilated": nn.Conv1d(2, 3, 3, dilation=2, stride=2, padding=4),
    "grouped": nn.Conv2d(4, 6, 3, padding=1, groups=2),
    "transposed": nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1, groups=2),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_no_kernel_acts_more_strongly_than_its_matrix_and_windows_allow(name):
    """Kernels of matrix norm 1 in each group, made as strong as gradients can, against sqrt(windows); and nearly so."""
    module = GEOMETRIES[name].to(DOUBLE).requires_grad_(requires_grad=False)
    shape, groups = (module.in_channels, *[9] * (module.weight.ndim - 2)), module.groups
    (layer,) = wired(graph_from(nn.Sequential(module, nn.Flatten()), *shape)).layers
    generator = torch.Generator().manual_seed(6)
    raw = torch.randn(module.weight.shape, generator=generator, dtype=DOUBLE, requires_grad=True)
    x = torch.randn(1, *shape, generator=generator, dtype=DOUBLE, requires_grad=True)
    most, optimiser = 0.0, torch.optim.Adam([raw, x], lr=0.05)
    for _ in range(150):
        parts = raw.flatten(1).reshape(groups, -1, raw[0].numel())
        kernel = (parts / torch.linalg.matrix_norm(parts, 2, keepdim=True)).reshape(raw.shape)
        moved_by = (
            torch.func.functional_call(module, {"weight": kernel, "bias": 0 * module.bias}, (x,)).norm() / x.norm()
        )
        most = max(most, float(moved_by.detach()))
        optimiser.zero_grad()
        (-moved_by).backward()
        optimiser.step()
    rows, columns = parts.shape[1:]
    count = groups + 1
    strength = layer.matrix / (math.sqrt(rows) + math.sqrt(columns) + math.sqrt(2 * math.log(count / TAIL)))
    assert 0.6 * strength <= most <= strength


@EVERY
def test_lengths_hold_over_the_range_and_beyond(name):
    net = wired(NETS[name])
    graph, generator = net.norms.graph, torch.Generator().manual_seed(1)
    for reach in (0.0, 0.5):
        x = (2 * torch.rand(300, *graph.input_shape, generator=generator, dtype=DOUBLE) - 1).sign()
        away = torch.randn(x.shape, generator=generator, dtype=DOUBLE)
        x = x + reach * away / away.flatten(1).norm(dim=1).reshape(-1, *[1] * (x.ndim - 1))
        sources = [layer.node.inputs[0] for layer in net.layers]
        for node, value in zip(sources, values_of(graph, sources, x), strict=True):
            assert float(value.flatten(1).norm(dim=1).max()) <= net.length(node, reach) * (1 + 1e-12)


@EVERY
def test_random_operators_are_as_small_as_is_said(name):
    """Each layer with nothing but noise for weights, 60 times; all of one draw must be within their bounds."""
    net, generator = wired(NETS[name]), torch.Generator().manual_seed(2)
    beyond = 0
    for _ in range(60):
        broken = False
        for layer in net.layers:
            node = layer.node
            place = {"convolution": 1, "addmm": 2}[node.op]
            noise = torch.randn(node.args[place].shape, generator=generator, dtype=DOUBLE)
            args = list(node.args)
            args[place] = noise
            random = type(node)(name="", op=node.op, args=tuple(args), shapes=node.shapes, raw=node.raw)
            operator = RULES[node.op]().operator(random)
            size = float(torch.linalg.matrix_norm(materialise(operator), 2))
            assert size > layer.matrix / 20
            broken |= size > layer.matrix
        beyond += broken
    assert beyond <= TAIL * 60


def test_a_cut_gaussian_costs_no_more_than_is_said():
    """In one dimension, by integration: the mass is 1 - tail or more."""
    for shift, cut in ((0.5, 1.7), (3.0, 1.65), (1.0, 2.5)):
        mass = stats.norm.cdf(cut) - stats.norm.cdf(-cut)
        assert mass >= 1 - TAIL

        def density(u, shift=shift, mass=mass):
            return stats.norm.pdf(u) / mass * (stats.norm.logpdf(u) - math.log(mass) - stats.norm.logpdf(u + shift))

        exact = integrate.quad(density, -cut, cut)[0]
        entropy = -TAIL * math.log(TAIL) - (1 - TAIL) * math.log(1 - TAIL)
        assert exact <= (shift**2 / 2 + entropy) / (1 - TAIL)


def test_one_dense_layer_by_hand():
    weight, bias = torch.tensor([[3.0, 0.0], [0.0, 4.0]]), torch.tensor([1.0, 2.0])
    net = wired(graphs.mlp_of([(weight, bias)]), (-1.0, 1.0))
    away = math.sqrt(2 * math.log(2 / TAIL))
    (layer,) = net.layers
    assert layer.spectral == pytest.approx(4)
    assert layer.energy == pytest.approx(9 + 16 + 1 + 4)
    assert layer.matrix == pytest.approx(2 * math.sqrt(2) + away)
    assert layer.bias == pytest.approx(math.sqrt(2) + away)
    per_sigma = layer.matrix * math.sqrt(2) + layer.bias  # inputs are at most sqrt(2) long
    assert net.change([0.01]) == pytest.approx(0.01 * per_sigma)
    assert net.change([0.01], 0.5) == pytest.approx(0.01 * (per_sigma + 0.5 * layer.matrix))
    noise = chosen_noise(net, 1.0)
    assert 1 / per_sigma / 2**0.26 <= noise.sigmas[0] <= 1 / per_sigma
    assert noise.log_divergence == pytest.approx(math.log(30 / (2 * noise.sigmas[0] ** 2)))


def test_the_start_is_the_centre_of_the_prior():
    graph, start = graphs.mlp(4, 6, 3), graphs.mlp(4, 6, 3, seed=9)
    near, far = wired(graph, initial=graph.to(dtype=DOUBLE)), wired(graph, initial=start.to(dtype=DOUBLE))
    assert [layer.energy for layer in near.layers] == [0, 0]
    tensors = zip(graph.tensors.values(), start.tensors.values(), strict=True)
    total = sum(float((one.double() - other.double()).square().sum()) for one, other in tensors)
    assert sum(layer.energy for layer in far.layers) == pytest.approx(total)


def test_a_network_as_it_began_costs_no_divergence_at_all():
    graph = graphs.mlp(4, 6, 3)
    net = wired(graph, initial=graph.to(dtype=DOUBLE))
    (found, *_) = records(BOUNDS["layerwise-pac-bayes"](), evidence(net, torch.full((5000,), 3.0), circuit=net))
    assert found.terms["log10_kl"] == -300
    assert not found.vacuous


@pytest.mark.parametrize("scale", [1e5, 1e18])
def test_norms_near_the_ends_of_float64_are_no_division_by_zero(scale):
    """Sixteen layers: noise of 1e-80 is a bound like any other; where it would be 1e-280 there is none."""
    norms = LayerNorms(graphs.mlp(*[3] * 17, scale=scale))
    net = circuit(norms, gains(norms, "l2"), (0.0, 1.0))
    assert isinstance(net, Skipped) == (scale > 1e9)
    if isinstance(net, Circuit):
        (found, *_) = records(BOUNDS["layerwise-pac-bayes"](), evidence(net, torch.full((100,), 3.0), circuit=net))
        assert math.isfinite(found.log10_value)
        assert found.terms["smallest_noise"] > 0


def test_it_says_something_of_an_easy_task_with_many_samples_and_holds():
    """Inputs in [-1, 1] away from 0, classes by sign: the true error is 0."""
    graph = graphs.mlp_of([(torch.tensor([[1.0], [-1.0]]), torch.zeros(2))])
    x = graphs.uniform(200_000, 1, dtype=DOUBLE) / 2 + 0.5
    given = evidence(Skipped(reason="not asked"), 2 * x[:, 0], circuit=wired(graph), balls=())
    (found,) = records(BOUNDS["layerwise-pac-bayes"](), given)
    assert not found.vacuous
    assert 0 < 10**found.log10_value < 0.5
