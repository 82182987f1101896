"""Margins that hold in whole balls, from linear bounds, for samples whose own certificates nobody asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lipcert.analyses.certificates.allowance import Allowance
from lipcert.analyses.certificates.ladder import BATCH
from lipcert.analyses.certificates.rungs import smallest
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.memory import DEFAULT_MEMORY
from lipcert.bounds.price import refining_price
from lipcert.bounds.region import Region
from lipcert.deadline import Deadline
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph
from lipcert.graph.scores import margins
from lipcert.progress import Progress, silent
from lipcert.records import Effort, Norm, Skipped

ALLOWED: dict[Effort, float] = {"fast": 3e9, "default": 2e10, "high": 2e12}
"""Multiply-adds that all bounds may take; where they are spent, the other samples have none."""

_FINE = 0.5  # share for bounds tightened inside the network; the others are over intervals


def ball_margins(
    graph: Graph,
    inputs: Tensor,
    labels: Tensor,
    balls: Sequence[tuple[Norm, float]],
    *,
    effort: Effort = "default",
    max_memory: int | None = None,
    deadline: Deadline | None = None,
    progress: Progress = silent,
) -> Mapping[tuple[Norm, float], Tensor] | Skipped:
    """Ball -> at most the smallest margin of each sample in the whole ball, shape (N,), on the CPU; -infinity if none.

    Of the real-arithmetic network, in balls that no input range cuts. Samples with a large margin come first: they
    are those that have something to lose.

    graph  in float64
    """
    end, allowance = deadline or Deadline(), Allowance(ALLOWED[effort])
    try:
        bounder = Bounder(graph, deploy_dtype="real", max_memory=max_memory or DEFAULT_MEMORY)
        order = _largest_first(graph, inputs, labels)
        found = dict[tuple[Norm, float], Tensor]()
        for index, ball in enumerate(balls):
            progress("robust training margins", index, len(balls))
            part = end.share(1 / (len(balls) - index))
            paid = allowance.part(1 / len(balls))
            found[ball] = _in_ball(bounder, inputs, labels, order, ball, paid, part)
        progress("robust training margins", len(balls), len(balls))
    except UnsupportedOperatorError as error:
        return Skipped(reason=error.message, operators=error.operators)
    return found


def _largest_first(graph: Graph, inputs: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        parts = inputs.split(256), labels.split(256)
        found = [margins(graph(x.to(graph.device, graph.dtype)).cpu(), y.cpu()) for x, y in zip(*parts, strict=True)]
    clean = torch.cat(found)
    return clean.argsort(descending=True, stable=True)[: int((clean > 0).sum())]


def _in_ball(  # noqa: PLR0917  what is bounded, where, in which order, and two limits
    bounder: Bounder,
    inputs: Tensor,
    labels: Tensor,
    order: Tensor,
    ball: tuple[Norm, float],
    allowance: Allowance,
    deadline: Deadline,
) -> Tensor:
    found = torch.full((len(inputs),), -torch.inf, dtype=torch.float64)
    size = max(1, min(BATCH, bounder.max_memory // (2 * bounder.plan.graph.classes * bounder.row_bytes)))
    fine, dear = allowance.part(_FINE), math.inf
    allowance.pay(fine.left)
    for rows in order.split(size) if len(order) else ():  # an empty tensor splits into one empty part
        region = _region(bounder, inputs[rows], ball)
        own = labels[rows].to(region.centre.device)
        with torch.no_grad():
            intervals = bounder.intervals(region)
            if math.isinf(dear) and fine.left > 0:
                dear = refining_price(bounder.linearise(region[:1], bounder.intervals(region[:1])))
            limit, price = (fine, dear) if fine.affords(dear, len(rows)) == len(rows) else (allowance, _coarse(bounder))
            if deadline.passed or limit.affords(price, len(rows)) < len(rows):
                break
            limit.pay(price * len(rows))
            bounds = smallest(bounder.margins(region, own, bounder.refine(region) if limit is fine else intervals), own)
        found[rows] = bounds.cpu().nan_to_num(nan=-torch.inf)
    return found


def _coarse(bounder: Bounder) -> float:
    """Multiply-adds of the bounds of one sample over intervals, about: two passes of one row a class."""
    graph = bounder.plan.graph
    kernels = (
        max((arg.numel() for arg in node.args if isinstance(arg, Tensor)), default=0)
        * (math.prod(node.shape[2:]) if node.op == "convolution" else 1)
        for node in graph.nodes
    )
    return 2.0 * graph.classes * sum(kernels)


def _region(bounder: Bounder, inputs: Tensor, ball: tuple[Norm, float]) -> Region:
    norm, eps = ball
    centre = inputs.to(device=bounder.plan.graph.device, dtype=torch.float64)
    return Region(centre, norm, torch.full((len(centre),), eps, dtype=torch.float64, device=centre.device))
