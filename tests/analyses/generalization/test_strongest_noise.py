"""Noise at the edge of its event, turned by gradients to where it moves the logits furthest, on random networks.

Draws of noise stay far below the bound and would not notice a factor of two; this comes up to it.
"""

import pytest
import torch
from torch import Tensor

from lipcert.analyses.generalization import Circuit
from lipcert.analyses.generalization.circuit import NoisyLayer, _shape
from lipcert.analyses.generalization.layerwise import chosen_noise
from lipcert.analyses.generalization.measures import weight_matrix
from tests.analyses.generalization.nets import wired
from tests.bounds.layered.drawn import drawn
from tests.captured import graph_from

DOUBLE = torch.float64
WEIGHT = {"convolution": 1, "addmm": 2, "mm": 1, "linear": 1}


def longest(layer: NoisyLayer, name: str, free: Tensor) -> Tensor:
    """Noise in the direction of `free` that is as large as the event allows for a deviation of 1."""
    node = layer.node
    if str(node.raw.args[WEIGHT[node.op]].target) != name:
        return free / free.norm() * layer.bias / (node.shape.numel() / free.numel()) ** 0.5
    rows, columns, windows = _shape(node, weight_matrix(node))
    if node.op != "convolution":
        return free / torch.linalg.matrix_norm(free, 2) * layer.matrix
    groups = free.reshape(-1, rows, columns)
    return (
        (groups / torch.linalg.matrix_norm(groups, 2, keepdim=True)).reshape(free.shape) * layer.matrix / windows**0.5
    )


def strongest(net: Circuit, sigmas: tuple[float, ...], *, seed: int, steps: int) -> float:
    """How far the logits move at most on the way uphill, over inputs in [-1, 1]."""
    graph, generator = net.norms.graph, torch.Generator().manual_seed(seed)

    def start(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=DOUBLE, requires_grad=True)

    places = [
        (layer, sigma, str(source.target))
        for layer, sigma in zip(net.layers, sigmas, strict=True)
        for source in layer.node.raw.all_input_nodes
        if source.op == "get_attr"
    ]
    free, at = [start(*graph.tensors[name].shape) for *_, name in places], start(1, *graph.input_shape)
    optimiser, most = torch.optim.Adam([*free, at], lr=0.05), 0.0
    for _ in range(steps):
        noisy = {
            name: graph.tensors[name] + sigma * longest(layer, name, one)
            for (layer, sigma, name), one in zip(places, free, strict=True)
        }
        x = torch.tanh(3 * at)
        moved = (torch.func.functional_call(graph.module, noisy, (x,)) - graph(x)).norm()
        most = max(most, float(moved.detach()))
        optimiser.zero_grad()
        (-moved).backward()
        optimiser.step()
    return most


def share(seed: int, steps: int) -> float:
    """Of the bound that the strongest noise comes to."""
    module, shape = drawn(seed)
    net = wired(graph_from(module, *shape))
    noise = chosen_noise(net, 1.0)
    return strongest(net, noise.sigmas, seed=seed, steps=steps) / net.change(noise.sigmas)


@pytest.mark.parametrize("seed", [1029, 1146])
def test_it_comes_up_to_the_bound_and_not_above(seed: int) -> None:
    assert 0.7 < share(seed, 60) <= 1 + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2000, 2150))
def test_no_network_is_moved_further(seed: int) -> None:
    assert share(seed, 120) <= 1 + 1e-9
