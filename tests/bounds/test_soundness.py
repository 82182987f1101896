"""No point of a region, and no order of summation, leaves the bounds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lipcert.bounds.bounder import Bounder, margin_rows
from lipcert.graph import Graph
from lipcert.records import Norm
from tests.bounds.nets import NETS, descend, net, points, region, values_inside
from tests.captured import graph_from


def _margins(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.gather(1, labels[:, None]) - logits


QUICK = {"mlp", "smooth", "conv", "pooled", "residual"}


def _mostly(name: str, other: str, usual: str) -> object:
    """A case that is tried at length only, where it is neither the usual one nor of a quick net."""
    return pytest.param(name, other, marks=[] if other == usual or name in QUICK else [pytest.mark.slow])


@pytest.mark.parametrize(("name", "norm"), [_mostly(n, norm, "linf") for n in NETS for norm in ("linf", "l2", "l1")])
def test_margins_hold_at_every_point(name: str, norm: Norm) -> None:
    graph = net(name)
    area = region(graph, norm, {"linf": 0.05, "l2": 0.3, "l1": 0.6}[norm])
    bounder = Bounder(graph)
    labels = graph(area.centre.float()).argmax(1)
    lower = bounder.margins(area, labels)
    tried = points(area, 60)
    if norm != "l1":
        tried = torch.cat([tried, descend(bounder, area, margin_rows(labels, graph.classes))])
    logits = graph(tried.flatten(0, 1)).double()
    closest = _margins(logits, labels.repeat(len(tried))).unflatten(0, tried.shape[:2]).amin(0)
    assert (closest >= lower).all()
    scale = graph(area.centre.float()).abs().max()
    assert (closest - lower).max() < 30 * scale  # not vacuous


@pytest.mark.parametrize(
    ("name", "deploy_dtype"), [_mostly(n, dtype, "float32") for n in NETS for dtype in ("real", "float32")]
)
def test_every_value_inside_stays_in_its_interval(name: str, deploy_dtype: str) -> None:
    graph = net(name, seed=1)
    area = region(graph, "linf", 0.08, clip=False)
    bounder = Bounder(graph, deploy_dtype=deploy_dtype)
    loose, tight = bounder.intervals(area), bounder.refine(area)
    evaluated = graph if deploy_dtype == "float32" else bounder.plan.graph
    for x in points(area, 6, seed=2):
        seen = values_inside(evaluated, x.to(evaluated.dtype))
        for node in bounder.nodes:
            value = seen[node.raw.name]
            value = (value[0] if isinstance(value, tuple | list) else value).double()
            for box in (loose[node], tight[node]):
                value = value.reshape(box.lower.shape)
                assert ((value >= box.lower) & (value <= box.upper)).all(), node


def test_refined_intervals_lie_inside_loose_ones_and_loose_ones_grow_with_the_region() -> None:
    graph = net("conv")
    bounder = Bounder(graph)
    small, large = (bounder.intervals(region(graph, "linf", eps)) for eps in (0.02, 0.04))
    tight = bounder.refine(region(graph, "linf", 0.04))
    for node in bounder.nodes:
        assert (large[node].lower <= small[node].lower).all()
        assert (large[node].upper >= small[node].upper).all()
        assert (tight[node].lower >= large[node].lower).all()
        assert (tight[node].upper <= large[node].upper).all()


def _shuffled(graph: Graph, x: Tensor, seed: int) -> Tensor:
    """The fully connected layers of a net in float32, each sum taken in a random order, term by term."""
    generator = torch.Generator().manual_seed(seed)
    value = x.flatten(1)
    for node in graph.nodes:
        if node.op == "relu":
            value = value.clamp_min(0.0)
        if node.op == "addmm":
            bias, _, weight = node.args
            order = torch.randperm(len(weight) + 1, generator=generator)
            terms = torch.cat([value.unsqueeze(2) * weight, bias.expand(len(value), 1, -1)], 1)[:, order]
            total = terms[:, 0]
            for k in range(1, terms.shape[1]):
                total = total + terms[:, k]
            value = total
    return value


def test_float32_in_any_order_of_summation_stays_inside() -> None:
    # Without a region there is nothing but rounding, and large terms that cancel make it visible.
    module = nn.Sequential(nn.Linear(200, 60), nn.ReLU(), nn.Linear(60, 3))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 30.0)
    graph = graph_from(module.eval(), 200)
    area = region(graph, "linf", 0.0, samples=4, clip=False)
    sound, real = (Bounder(graph, deploy_dtype=kind).refine(area) for kind in ("float32", "real"))
    box, exact = (list(found.values())[-1] for found in (sound, real))
    outside_real = 0
    for seed in range(40):
        logits = _shuffled(graph, area.centre.float(), seed).double()
        assert ((logits >= box.lower) & (logits <= box.upper)).all()
        outside_real += int(((logits < exact.lower) | (logits > exact.upper)).sum())
    assert outside_real > 0
    assert (exact.upper - exact.lower < 1e-6 * exact.magnitude.max()).all()


def test_bfloat16_stays_inside() -> None:
    graph = net("mlp")
    area = region(graph, "linf", 0.01)
    box = Bounder(graph, deploy_dtype="bfloat16").refine(area)
    module = graph.to(dtype=torch.bfloat16)
    for x in points(area, 20):
        logits = module(x.to(torch.bfloat16)).double()
        last = list(box.values())[-1]
        assert ((logits >= last.lower) & (logits <= last.upper)).all()
