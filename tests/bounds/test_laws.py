"""Equalities, a second implementation, and what branch and bound relies on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lipcert.bounds.bounder import Bounder, margin_rows
from lipcert.bounds.region import Region
from lipcert.rules.interval import Interval, entries
from tests.bounds.nets import net, points, region, scaled, values_inside
from tests.captured import graph_from, randomised
from tests.graphs import mlp, random, uniform

LINEAR = {
    "one layer": (nn.Linear(6, 3), (6,)),
    "three layers": (nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 5), nn.Linear(5, 3)), (6,)),
    "convolutions": (
        nn.Sequential(nn.Conv2d(1, 3, 3, 2, 1), nn.Conv2d(3, 2, 2), nn.Flatten(), nn.Linear(18, 3)),
        (1, 8, 8),
    ),
    "norm": (nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 3)), (1, 6, 6)),
}


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
@pytest.mark.parametrize("name", LINEAR)
def test_equal_to_the_dual_norm_on_linear_nets(name: str, norm: str) -> None:
    module, shape = LINEAR[name]
    graph = graph_from(scaled(randomised(module)), *shape)
    bounder = Bounder(graph, deploy_dtype="real")
    area, labels = region(graph, norm, 0.2, clip=False), torch.tensor([0, 1, 2])
    exact_net, x = bounder.plan.graph, area.centre
    jacobian = torch.func.jacrev(lambda v: exact_net(v[None])[0])(x[0]).flatten(1)
    rows = margin_rows(labels, 3)
    dual = torch.linalg.vector_norm(rows @ jacobian, {"linf": 1.0, "l2": 2.0, "l1": torch.inf}[norm], dim=2)
    exact = (rows @ exact_net(x).unsqueeze(2)).squeeze(2) - area.eps[:, None] * dual
    found = bounder.margins(area, labels)
    assert (found <= exact + 1e-13).all()
    assert torch.allclose(found, exact, rtol=1e-9, atol=1e-9)


Box = list[tuple[float, float]]


def _slowly(weights: list[tuple[Tensor, Tensor]], x: Tensor, eps: float, row: Tensor) -> float:
    """Backward bounds of one sample's <row, logits> over a box, in loops over neurons, with no rounding."""

    def back(depth: int, a: Tensor, c: Tensor) -> float:
        for layer in range(depth - 1, -1, -1):
            through = torch.zeros_like(a)
            for i, value in enumerate(a):
                low, high = boxes[layer][i]
                if low >= 0 or (low < 0 < high and value >= 0 and high > -low):
                    through[i] = value
                elif low < 0 < high and value < 0:
                    through[i] = value * high / (high - low)
                    c = c - through[i] * low
            weight, bias = weights[layer]
            c, a = c + through @ bias, through @ weight
        return float(c + a @ x - eps * a.abs().sum())

    boxes: list[Box] = []
    inputs: Box = [(float(v) - eps, float(v) + eps) for v in x]
    for depth, (weight, bias) in enumerate(weights[:-1]):
        box: Box = []
        for w, b in zip(weight.tolist(), bias.tolist(), strict=True):
            low = b + sum(v * (ends[0] if v > 0 else ends[1]) for v, ends in zip(w, inputs, strict=True))
            high = b + sum(v * (ends[1] if v > 0 else ends[0]) for v, ends in zip(w, inputs, strict=True))
            if low < 0 < high:
                row_, number = torch.tensor(w).double(), torch.tensor(b).double()
                low, high = max(low, back(depth, row_, number)), min(high, -back(depth, -row_, -number))
            box.append((low, high))
        boxes.append(box)
        inputs = [(max(low, 0.0), max(high, 0.0)) for low, high in box]
    weight, bias = weights[-1]
    return back(len(weights) - 1, row @ weight, row @ bias)


def test_a_slow_second_implementation_agrees() -> None:
    graph = mlp(5, 7, 6, 4, seed=3)
    weights = [(n.args[2].T.double(), n.args[0].double()) for n in graph.nodes if n.op == "addmm"]
    x, eps = uniform(3, 5, seed=1).double(), 0.15
    labels = torch.tensor([0, 2, 3])
    area = Region(x, "linf", torch.full((3,), eps, dtype=torch.float64))
    bounder = Bounder(graph, deploy_dtype="real")
    rows = margin_rows(labels, 4)
    slow = torch.tensor(
        [[_slowly(weights, x[n], eps, rows[n, s]) for s in range(4)] for n in range(3)], dtype=torch.float64
    )
    found = bounder.margins(area, labels)
    assert torch.allclose(found, slow, rtol=1e-9, atol=1e-9), found - slow


@pytest.mark.parametrize("name", ["mlp", "conv", "leaky", "branches"])
def test_ascent_only_gains_and_stays_sound(name: str) -> None:
    graph = net(name)
    area, bounder = region(graph, "linf", 0.15), Bounder(graph)
    labels = graph(area.centre.float()).argmin(1)  # the least likely class: nothing is proved
    fixed, final, full = (bounder.margins(area, labels, slopes=kind, steps=8) for kind in ("fixed", "final", "full"))
    assert (final >= fixed - 1e-9).all()
    assert (full >= fixed - 1e-9).all()
    if name in {"mlp", "conv"}:
        assert (final > fixed + 1e-4).any()
    for x in points(area, 40):
        logits = graph(x).double()
        margins = logits.gather(1, labels[:, None]) - logits
        assert (margins >= torch.maximum(final, full)).all()


def test_any_slopes_are_sound_and_their_own_give_the_same_bound() -> None:
    graph = net("mlp")
    area, bounder = region(graph, "linf", 0.1), Bounder(graph)
    known = bounder.refined(area)
    rows = torch.eye(5).double().unsqueeze(0)
    relus = [node for node in bounder.nodes if node.op == "relu"]
    own = {node: known.relaxation(node).lower_slope.unsqueeze(1) for node in relus}
    plain = bounder.lower(area, rows, known.intervals)
    assert torch.allclose(bounder.lower(area, rows, known.intervals, slopes=own), plain, rtol=1e-12)
    wild = {node: 3 * random(3, 5, *entries(node), seed=4).double() for node in relus}
    bound = bounder.lower(area, rows, known.intervals, slopes=wild)
    for x in points(area, 40):
        assert (graph(x).double() >= bound).all()


def test_splits_and_their_multipliers() -> None:
    graph = net("mlp", seed=2)
    area, bounder = region(graph, "linf", 0.2), Bounder(graph)
    rows = torch.eye(5).double().unsqueeze(0)
    known = bounder.refined(area)
    node = next(n for n in bounder.nodes if n.op == "addmm")
    box = known.intervals[node]
    unstable = ((box.lower < 0) & (box.upper > 0)).all(0).nonzero()[0, 0]
    for side in (1.0, -1.0):
        lower, upper = box.lower.clone(), box.upper.clone()
        (lower if side > 0 else upper)[:, unstable] = 0.0
        split = bounder.refine(area, given={node: Interval(lower, upper)})
        for strength in (0.0, 0.3, 2.0):
            multiplier = torch.zeros(3, 5, *entries(node), dtype=torch.float64)
            multiplier[..., unstable] = -side * strength  # <= 0 where the split holds
            bound = bounder.lower(area, rows, split, extra={node: multiplier})
            for x in points(area, 60, seed=1):
                inside = values_inside(graph, x)[node.raw.name][:, unstable] * side >= 0
                assert (graph(x).double() >= bound)[inside].all()


def test_an_op_without_a_rule_is_named() -> None:
    from lipcert.errors import UnsupportedOperatorError

    graph = graph_from(torch.special.i0, 3)
    with pytest.raises(UnsupportedOperatorError, match="i0"):
        Bounder(graph).intervals(region(graph, "linf", 0.1))
