"""Where bounds have little to work on: nothing left to do, numbers that overflow or underflow, constants computed."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.graph import Graph, settle_constants
from lipcert.rules import RULES
from lipcert.rules.interval import Interval
from tests.bounds.nets import net, region
from tests.captured import graph_from
from tests.graphs import random


def _chain(*weights: list[list[float]]) -> Graph:
    """Linear layers without biases and with these weights, nothing between them."""
    layers = [nn.Linear(len(w[0]), len(w), bias=False) for w in weights]
    with torch.no_grad():
        for layer, weight in zip(layers, weights, strict=True):
            layer.weight.copy_(torch.tensor(weight))
    return graph_from(nn.Sequential(*layers).eval(), len(weights[0][0]))


def _at(graph: Graph, x: Tensor, deploy_dtype: str = "float32") -> tuple[Bounder, Region, Interval]:
    """Bounds of the logits at single points."""
    bounder = Bounder(graph, deploy_dtype=deploy_dtype)
    area = Region(x.double(), "linf", torch.zeros(len(x), dtype=torch.float64))
    return bounder, area, bounder.refine(area)[bounder.nodes[-1]]


def _holds(box: Interval, value: Tensor) -> bool:
    return bool(((box.lower <= value.double()) & (value.double() <= box.upper)).all())


def test_products_that_underflow_in_float32_stay_inside() -> None:
    graph = _chain([[1.5 * 2.0**-75], [0.0]], [[2.0**100, 0.0], [0.0, 1.0]])
    x = torch.tensor([[2.0**-75]])
    bounder, area, box = _at(graph, x)
    assert _holds(box, graph(x))
    margin = bounder.margins(area, torch.tensor([0]))[0, 1]
    assert margin <= graph(x)[0, 0] - graph(x)[0, 1]


def test_nothing_is_claimed_where_float32_overflows() -> None:
    graph = _chain([[1e30], [1e30]], [[1e-30, -0.5e-30], [0.0, 0.0]])
    x = torch.tensor([[1e20]])
    assert not graph(x).isfinite().all()
    bounder, area, _ = _at(graph, x)
    assert not (bounder.margins(area, torch.tensor([0])) > 0).any()
    bounder, area, _ = _at(graph, x, "real")
    assert bounder.margins(area, torch.tensor([0]))[0, 1] > 4e19


@pytest.mark.parametrize("mode", ["linear", "bilinear", "bicubic", "trilinear"])
@pytest.mark.parametrize("aligned", [False, True])
def test_interpolation_by_rounded_weights_stays_inside(mode: str, aligned: bool) -> None:  # noqa: FBT001
    axes = {"linear": 1, "trilinear": 3}.get(mode, 2)
    for size in (3, 5, 6, 11, 23):
        shape = (size, 4, 3)[:axes]
        wanted = [size * 2 + 1, 7, 5][:axes]
        graph = graph_from(lambda x, w=wanted: F.interpolate(x, size=w, mode=mode, align_corners=aligned), 1, *shape)
        x = random(4, 1, *shape, seed=size) * torch.tensor([0.0, 1.0, 1e3])[torch.randint(3, (4, 1, *shape))]
        assert _holds(_at(graph, x)[2], graph(x))


def test_constants_are_those_that_the_deployed_arithmetic_computes() -> None:
    graph = graph_from(nn.Upsample(size=7, mode="linear"), 1, 3)
    x = random(1, 1, 3)
    exact = graph.to(dtype=torch.float64)
    settled = settle_constants(exact, torch.float32)
    assert (settled(x.double()) - graph(x).double()).abs().max() < 1e-6
    assert not torch.equal(settled(x.double()), exact(x.double()))
    assert settle_constants(settled, torch.float32) is settled


def test_constants_beside_live_values_are_read_in_bfloat16() -> None:
    third = torch.tensor([[1 / 3]])
    graph = graph_from(lambda x: torch.cat([x, third.expand(len(x), 1), F.pad(x, (1, 0), value=0.7)], 1), 1)
    x = torch.tensor([[0.25]])
    assert _holds(_at(graph, x, "bfloat16")[2], graph.to(dtype=torch.bfloat16)(x.bfloat16()))


def test_a_softmax_of_distant_values_is_inside_its_interval() -> None:
    values = random(20, 3, seed=3, dtype=torch.float64) * torch.tensor([1.0, 60.0, 200.0], dtype=torch.float64) - 100.0
    node = graph_from(lambda x: x.softmax(1), 3).to(dtype=torch.float64).nodes[1]
    box = RULES[node.op]().interval(node, (Interval(values, values),))
    with mpmath.workdps(60):
        for row, low, high in zip(values.tolist(), box.lower.tolist(), box.upper.tolist(), strict=True):
            terms = [mpmath.exp(mpmath.mpf(number)) for number in row]
            for term, least, largest in zip(terms, low, high, strict=True):
                assert mpmath.mpf(least) <= term / sum(terms) <= mpmath.mpf(largest)


def test_rows_whose_squares_underflow_are_paid_for() -> None:
    area = Region(torch.zeros(1, 4, dtype=torch.float64), "l2", torch.ones(1, dtype=torch.float64))
    assert float(area.lower(torch.full((1, 1, 4), 1e-170, dtype=torch.float64))) <= -math.sqrt(4) * 1e-170


def test_choosing_slopes_of_nothing_but_proved_margins_changes_nothing() -> None:
    graph = net("pooled")
    area = region(graph, "linf", 0.0)
    labels = graph(area.centre.float()).argmax(1)
    bounder = Bounder(graph)
    fixed = bounder.margins(area, labels)
    for slopes in ("final", "full"):
        assert torch.equal(bounder.margins(area, labels, slopes=slopes, steps=2), fixed)
