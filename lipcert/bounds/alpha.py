"""Lower slopes chosen by gradient ascent: tighter bounds than any fixed choice gives.

Every slope in its range is sound, so every iterate is a bound and the best one of each row is kept; the ascent itself
needs no precision. Only rows whose bound is not yet positive are pushed, and samples without such a row drop out.

Here the slopes of the pass from the logits are chosen, one set a row; the intermediate bounds stay as they are.

Source: Xu, Zhang, Wang et al., ICLR 2021 (alpha-CROWN).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lipcert.bounds.linearisation import Linearisation
from lipcert.graph import Node
from lipcert.rules.interval import entries
from lipcert.rules.relaxation import Elementwise

_FLOAT = 8


def final_alpha(
    known: Linearisation,
    rows: Tensor,
    *,
    steps: int = 20,
    rate: float = 0.1,
    max_memory: int = 2**30,
    start: Tensor | None = None,
) -> Tensor:
    """At most <row, logits> over the region, shape (N, S), by ascent on the slopes of the last pass.

    rows        (N, S, classes); rows of zeros have nothing to gain and are left as they are
    start       bounds already known for them, (N, S)
    max_memory  bytes for slopes and what differentiation keeps, about; rows are taken in portions
    """
    if start is None:
        with torch.no_grad():
            start = known.lower(rows)
    best = start.clone()
    portion = max(1, max_memory // max(1, bytes_a_row(known)))
    count = max(1, portion // rows.shape[1])
    for some in undecided(rows, best).split(count):
        if not len(some):
            continue
        part = known[some]
        for first in range(0, rows.shape[1], portion):
            columns = slice(first, first + portion)
            best[some, columns] = _ascend(part, rows[some, columns], best[some, columns], steps, rate)
    return best


def bytes_a_row(known: Linearisation) -> int:
    """Bytes of one row in one step of ascent: slopes, their gradients and moments, and what each node keeps."""
    kept = sum(entries(node).numel() for node in known.plan.nodes)
    chosen = sum(entries(node).numel() for node in adjustable(known))
    return _FLOAT * (5 * kept + 5 * chosen)


def undecided(rows: Tensor, bound: Tensor) -> Tensor:
    """Indices of the samples with a row that is neither zero nor proved positive."""
    return ((bound <= 0) & (rows != 0).any(2)).any(1).nonzero()[:, 0]


def adjustable(known: Linearisation, target: Node | None = None) -> dict[Node, Elementwise]:
    """The relaxations before `target` whose lower slopes may be chosen."""
    nodes = [node for node in known.plan.up_to(target or known.plan.output) if node.op != "input"]
    found = ((node, known.relaxation(node)) for node in nodes)
    return {node: lines for node, lines in found if isinstance(lines, Elementwise) and lines.adjustable}


def starting_slopes(known: Linearisation, rows: int, target: Node | None = None) -> dict[Node, Tensor]:
    """The slopes that relaxations take by themselves, one set for each of so many rows, to be differentiated in."""
    samples = len(known.region)
    return {
        node: lines.lower_slope.detach().unsqueeze(1).expand(samples, rows, *entries(node)).clone().requires_grad_()
        for node, lines in adjustable(known, target).items()
    }


def _ascend(known: Linearisation, rows: Tensor, best: Tensor, steps: int, rate: float) -> Tensor:
    slopes = starting_slopes(known, rows.shape[1])
    if not slopes:
        return best
    optimiser = torch.optim.Adam(slopes.values(), lr=rate)
    for step in range(steps + 1):
        with torch.enable_grad():
            bound = known.lower(rows, slopes=slopes)
        best = torch.maximum(best, bound.detach())
        if step == steps or bool((best > 0).all()):
            break
        push(optimiser, bound, best)
        clamp(slopes, known)
    return best


def push(optimiser: torch.optim.Optimizer, bound: Tensor, best: Tensor) -> None:
    """One step up for the rows that are not proved positive."""
    optimiser.zero_grad()
    with torch.enable_grad():
        loss = -bound[best <= 0].sum()
    torch.autograd.backward(loss)
    optimiser.step()


def clamp(slopes: Mapping[Node, Tensor], known: Linearisation) -> None:
    """Back into their ranges, in place."""
    with torch.no_grad():
        for node, lines in adjustable(known).items():
            if node in slopes and lines.slope_range is not None:
                low, high = (end.detach().unsqueeze(1) for end in lines.slope_range)
                slopes[node].copy_(torch.minimum(torch.maximum(slopes[node], low), high))
