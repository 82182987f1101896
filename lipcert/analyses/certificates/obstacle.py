"""Why nothing is certified in a ball, told of the sample that promises most."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.analyses.certificates.ladder import Ladder
from lipcert.analyses.certificates.rungs import Batch, smallest
from lipcert.analyses.certificates.standing import Standing
from lipcert.bounds.linearisation import Intervals


def obstacle(ladder: Ladder, standing: Standing, allowed: float) -> str:
    """In words; empty where something is certified or no sample is left open.

    How far the bounds fall short, what better ones would have cost, and from which layer on they are wider than the
    values they bound are apart, or whether rounding alone is enough for that.

    allowed  multiply-adds that bounds were allowed to take
    """
    rows = standing.open
    if standing.certified.any() or not len(rows):
        return ""
    row = ladder.promising(standing, rows)[:1]
    tried = bool(standing.climbed[row])
    rest, ball = _at(ladder, standing, row, 0.0), _at(ladder, standing, row, standing.eps)
    bounds, way = (ladder.bounder.refine, "bounds") if tried else (ladder.bounder.intervals, "intervals")
    with torch.no_grad():
        still = bounds(rest.region)
        margin = float(smallest(ladder.bounder.margins(rest.region, rest.labels, still), rest.labels))
        where = _explosion(ladder, still, bounds(ball.region), way) if margin > 0 else _rounding(way)
    return f"{_shortfall(ladder, standing, row, allowed)}; {where}"


def _rounding(way: str) -> str:
    return (
        "even at the sample itself the rounding allowed for in each layer grows beyond the margin on its way through "
        f"{way} (--deploy-dtype real leaves rounding out)"
    )


def _at(ladder: Ladder, standing: Standing, row: Tensor, eps: float) -> Batch:
    return ladder.batch_of(row, standing.norm, torch.full((1,), eps, dtype=torch.float64))


def _shortfall(ladder: Ladder, standing: Standing, row: Tensor, allowed: float) -> str:
    best, clean = float(standing.margin[row]), float(ladder.clean[row])
    reached = f"the best bound on the margin is {best:.2g}" if math.isfinite(best) else "the margin has no finite bound"
    reached += f", and it is {clean:.2g} at the sample itself"
    if bool(standing.climbed[row]):
        return reached
    price = ladder.price(row, standing.norm, torch.full((1,), standing.eps, dtype=torch.float64))
    if price <= allowed:
        return f"{reached}; linear bounds through the net were not tried on it"
    cost = f"{price:.1g} multiply-adds, more than the {allowed:.1g} allowed"
    return f"{reached}; linear bounds through the net would take about {cost} (--effort high, or --time-budget)"


def _explosion(ladder: Ladder, still: Intervals, boxes: Intervals, way: str) -> str:
    """From where on bounds are wider than the values of one layer are apart."""
    nodes = ladder.bounder.nodes
    for place, node in enumerate(nodes, 1):
        values, width = (still[node].lower + still[node].upper) / 2, (boxes[node].upper - boxes[node].lower).mean()
        spread = float(values.max() - values.min())
        if not math.isfinite(float(width)) or float(width) > spread > 0:
            return f"{way} are wider than the values are apart from {node.name} on (node {place} of {len(nodes)})"
    return f"{way} stay narrower than the values are apart in every layer"
