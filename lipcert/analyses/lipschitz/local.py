"""Lipschitz constants in balls around samples, from both sides."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.bounds.bounder import Bounder, Intervals
from lipcert.bounds.local import Gradients, edges_of, gradients
from lipcert.bounds.local.edges import Linear
from lipcert.bounds.price import refining_price
from lipcert.bounds.region import Region
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph, Node
from lipcert.graph.jacobian import jacobians
from lipcert.norms.witness import MARGIN
from lipcert.records import Effort, Enclosure, LipschitzRecord, Norm, Skipped, Soundness
from lipcert.rules.interval import Interval

_SAMPLES: dict[Effort, int] = {"fast": 1, "default": 4, "high": 8}
_WORK: dict[Effort, float] = {"fast": 2e8, "default": 4e9, "high": 2e11}
_POINTS = 8
_CLASSES = 64
_HAIR, _NEARLY = 1e-6, 0.999
_ORDERS: dict[Norm, float] = {"l2": 2, "linf": math.inf, "l1": 1}


def analyze_local(
    graph: Graph,
    inputs: Tensor,
    norm: Norm,
    eps: float,
    *,
    input_range: tuple[float, float] | None = None,
    upper: float = math.inf,
    effort: Effort = "default",
    seed: int = 0,
) -> LipschitzRecord:
    """The largest of the local constants of input -> logits in balls around the first few samples, `norm` to `norm`.

    The upper end holds for the real-arithmetic network in the ball's part inside the input range; the lower end is the
    largest Jacobian norm of some points there.

    inputs  (N, *input_shape), N > 0
    upper   a global constant, taken where it is smaller
    """
    some = inputs[: _SAMPLES[effort]].to(graph.device, torch.float64)
    exact = graph.to(dtype=torch.float64)
    region = Region(some, norm, torch.full((len(some),), eps, dtype=torch.float64, device=graph.device), input_range)
    try:
        found, method = _constants(Bounder(exact, deploy_dtype="real"), region, norm, effort)
    except UnsupportedOperatorError as error:
        skipped = Skipped(reason=error.message, operators=error.operators)
        return _record(norm, eps, some, "bounds of the Jacobian", skipped)
    if not min(found, upper) < math.inf:
        return _record(norm, eps, some, method, Skipped(reason="intervals in this ball leave slopes without a bound"))
    if upper < found:
        method = "the global constant, smaller than the local ones"
    value = Enclosure(
        lower=_steepest(exact, region, norm, seed),
        upper=min(found, upper),
        soundness=Soundness.PROVED,
        method=f"Jacobian norm / {method}",
    )
    return _record(norm, eps, some, method, value)


def _record(norm: Norm, eps: float, some: Tensor, method: str, value: Enclosure | Skipped) -> LipschitzRecord:
    where = f"{norm} balls of {eps:.3g} around {len(some)} sample{'s' * (len(some) != 1)}"
    return LipschitzRecord(
        norm=norm, scope="local", method=f"{method}; {where}", value=value, eps=eps, samples=len(some)
    )


def _constants(bounder: Bounder, region: Region, norm: Norm, effort: Effort) -> tuple[float, str]:
    """The largest upper end, and how it was had."""
    classes = bounder.plan.graph.classes
    if classes > _CLASSES:
        return math.inf, "bounds of the Jacobian"
    rows = torch.eye(classes, dtype=torch.float64, device=region.centre.device)
    largest, spared, boxes, known = 0.0, 0, norm != "l2", dict[Node, tuple[Linear, ...]]()
    for at in range(len(region)):
        one = region[at : at + 1]
        edges = edges_of(bounder, _intervals(bounder, one, effort), known)
        sample = torch.zeros(classes, dtype=torch.long, device=rows.device)
        found: Gradients = gradients(edges, rows, sample, boxes=boxes, work=_WORK[effort] / len(region))
        largest, spared = max(largest, found.whole(norm)), max(spared, found.spared)
    if not boxes:
        return largest, "Jacobian by centre and radius"
    way = "intervals of the Jacobian, as linear bounds cost too much" if spared else "linear bounds of the Jacobian"
    return largest, way


def _intervals(bounder: Bounder, region: Region, effort: Effort) -> Intervals:
    """Refined where that can be paid for."""
    with torch.no_grad():
        plain = bounder.intervals(region)
        if refining_price(bounder.linearise(region, plain)) > _WORK[effort]:
            return plain
        return bounder.refine(region)


def _steepest(graph: Graph, region: Region, norm: Norm, seed: int) -> float:
    """The largest Jacobian norm over the samples and points drawn in their balls, as a witness."""
    generator = torch.Generator().manual_seed(seed)
    box, best = region.interval(), 0.0
    order = {"l2": 2.0, "linf": math.inf, "l1": 1.0}[norm]
    for step in range(1 + _POINTS):
        drawn = torch.randn(region.centre.shape, generator=generator, dtype=torch.float64).to(region.centre.device)
        length = torch.linalg.vector_norm(drawn.flatten(1), order, dim=1)
        reach = (_NEARLY if step else _HAIR) * region.eps / length
        points = _inside(region.centre, drawn * reach.reshape(-1, *[1] * (drawn.ndim - 1)), box)
        norms = torch.linalg.matrix_norm(jacobians(graph, points), _ORDERS[norm])
        best = max(best, float(norms.max()))
    return best * (1.0 - MARGIN)


def _inside(centre: Tensor, step: Tensor, box: Interval) -> Tensor:
    """Where a step leads, turned round at entries where it leaves the box, cut short where both ways do.

    Samples themselves and the box's sides can lie on kinks, where autograd may give what is no limit of Jacobians in
    the region: relu(x) at x = 0, where inputs are in [0, 1].
    """
    out, back = ((to <= box.lower) | (to >= box.upper) for to in (centre + step, centre - step))
    far = torch.where(box.upper - centre > centre - box.lower, box.upper, box.lower)
    return centre + torch.where(out, torch.where(back, _NEARLY * (far - centre), -step), step)
