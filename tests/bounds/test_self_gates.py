"""Products u * gate(u) in several ops are bounded like the one op they spell."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipcert.bounds.bounder import Bounder
from lipcert.graph import Graph
from lipcert.rules.deployment import DEPLOYMENTS
from lipcert.rules.interval import Interval
from lipcert.rules.self_gates import self_gated
from tests.bounds.nets import points, region, scaled, values_inside
from tests.captured import graph_from, randomised

Function = Callable[[Tensor], Tensor]

# What exporters write, and the same in one op.
SPELLINGS: dict[str, tuple[Function, Function]] = {
    "silu": (lambda x: x * torch.sigmoid(x), F.silu),
    "silu, gate first": (lambda x: torch.sigmoid(x) * x, F.silu),
    "gelu": (lambda x: x * (torch.erf(x / math.sqrt(2.0)) + 1.0) * 0.5, F.gelu),
    "gelu, halved first": (lambda x: (x * 0.5) * (1.0 + torch.erf(x * 0.7071067690849304)), F.gelu),
    "mish": (lambda x: x * torch.tanh(F.softplus(x)), F.mish),
    "hardswish": (lambda x: x * F.hardsigmoid(x), F.hardswish),
    "hardswish, clamped": (lambda x: x * torch.clamp(x + 3.0, 0.0, 6.0) / 6.0, F.hardswish),
    "silu of another width": (lambda x: (x * -2.0) * torch.sigmoid(x), lambda x: -2.0 * F.silu(x)),
}


class _Net(nn.Module):
    def __init__(self, activation: Function) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.first(x))
        return self.last(self.activation(self.second(x)))


def _net(activation: Function) -> Graph:
    return graph_from(scaled(randomised(_Net(activation).eval())), 4)


@pytest.mark.parametrize("name", SPELLINGS)
def test_spelt_out_and_in_one_op_have_the_same_bounds(name: str) -> None:
    spelt, whole = (_net(activation) for activation in SPELLINGS[name])
    area, labels = region(spelt, "linf", 0.4, clip=False), torch.zeros(3, dtype=torch.long)
    one, other = (Bounder(graph, deploy_dtype="real").margins(area, labels) for graph in (spelt, whole))
    assert torch.allclose(one, other, rtol=1e-7, atol=1e-7)
    assert torch.allclose(Bounder(spelt).margins(area, labels), other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("deployed", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", SPELLINGS)
def test_the_error_of_a_chain_covers_its_evaluation(name: str, deployed: torch.dtype) -> None:
    graph = _net(SPELLINGS[name][0])
    product = next(found for node in graph.to(dtype=torch.float64).nodes if (found := self_gated(node)))
    u = torch.cat([torch.linspace(-30, 30, 4001), torch.tensor([0.0, 1e-30, -1e-30, 80.0, -80.0])]).to(deployed)
    u = u[: u.numel() // 6 * 6].reshape(-1, 6)
    first = u
    if product.scale != 1.0:  # u is a number times what the gate reads
        first = (u.float() * product.scale).to(deployed)
        u = product.value.run(first)
    gate = first
    for node in product.chain:
        gate = node.run(gate)
    exact = product.curve.value(u.double())
    box = Interval(u.double(), u.double())
    error = product.rounding(box, Interval(exact, exact), DEPLOYMENTS[str(deployed).removeprefix("torch.")])  # type: ignore[index]
    assert bool((((u * gate).double() - exact).abs() <= error).all())


@pytest.mark.parametrize("name", SPELLINGS)
def test_values_stay_inside(name: str) -> None:
    graph = _net(SPELLINGS[name][0])
    area = region(graph, "linf", 1.0, clip=False)
    bounder = Bounder(graph)
    known = bounder.refine(area)
    products = [node for node in bounder.nodes if self_gated(node)]
    assert len(products) == 2
    for x in points(area, 60):
        seen = values_inside(graph, x)
        for node in bounder.nodes:
            box = known[node]
            value = seen[node.raw.name].double()
            assert bool(((value >= box.lower) & (value <= box.upper)).all()), node.name


def test_a_gate_of_something_else_is_no_curve() -> None:
    graph = _net(lambda x: x * torch.sigmoid(x + 1.0))
    assert not any(self_gated(node) for node in graph.nodes)
