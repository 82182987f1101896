"""Lower slopes of all passes chosen together: those behind the intermediate bounds too.

Each neuron that has backward bounds brings two rows, and each row its own slopes in the pass from its node. A step
goes forward once, intermediate bounds first and the wanted rows last, and differentiates the last through all of them.
The intervals of an iterate are taken together with the best ones known, so they never get worse; as every iterate is
sound, so are they.

Source: Xu, Zhang, Wang et al., ICLR 2021 (alpha-CROWN).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.alpha import bytes_a_row, clamp, final_alpha, push, starting_slopes, undecided
from lipcert.bounds.intermediate import Targets, forward, with_backward_bounds
from lipcert.bounds.linearisation import Linearisation
from lipcert.bounds.units import both_sides
from lipcert.graph import Node
from lipcert.rules.interval import Interval


def full_alpha(
    known: Linearisation,
    targets: Targets,
    rows: Tensor,
    *,
    given: Mapping[Node, Interval] | None = None,
    steps: int = 20,
    rate: float = 0.1,
    max_memory: int = 2**30,
) -> Tensor:
    """At most <row, logits> over the region, shape (N, S), by ascent on the slopes of all passes.

    targets  which neurons have backward bounds: node -> indices (N, K), from a refinement
    given    intervals imposed when `known` was refined

    Where the slopes of one sample alone are more than `max_memory`, those of the last pass are chosen, and no others.
    """
    with torch.no_grad():
        best = known.lower(rows)
    units = sum(2 * index.shape[1] for index in targets.values())
    count = max_memory // max(1, bytes_a_row(known) * (units + rows.shape[1]))
    if not count:
        return final_alpha(known, rows, steps=steps, rate=rate, max_memory=max_memory, start=best)
    for some in undecided(rows, best).split(count):
        if not len(some):
            continue
        part = {node: index[some] for node, index in targets.items()}
        cut = {node: Interval(box.lower[some], box.upper[some]) for node, box in (given or {}).items()}
        best[some] = _Joint(known[some], part, cut, rows[some], rate).run(best[some], steps)
    return best


@final
class _Joint:
    def __init__(
        self, known: Linearisation, targets: Targets, given: Mapping[Node, Interval], rows: Tensor, rate: float
    ) -> None:
        self.known, self.targets, self.given, self.rows = known, targets, given, rows
        self.slopes = {n: starting_slopes(known, 2 * index.shape[1], n) for n, index in targets.items()}
        self.slopes[known.plan.output] = starting_slopes(known, rows.shape[1])
        chosen = [slope for by_node in self.slopes.values() for slope in by_node.values()]
        self.optimiser = torch.optim.Adam(chosen, lr=rate) if chosen else None

    def run(self, best: Tensor, steps: int) -> Tensor:
        for step in range(steps + 1):
            with torch.enable_grad():
                bound = self._pass()
            best = torch.maximum(best, bound.detach())
            if self.optimiser is None or step == steps or bool((best > 0).all()):
                break
            push(self.optimiser, bound, best)
            for by_node in self.slopes.values():
                clamp(by_node, self.known)
        return best

    def _pass(self) -> Tensor:
        """One forward sweep with the present slopes; the best intervals are kept."""
        of = Linearisation(self.known.plan, self.known.region, self.known.deployment, {})
        kept = self.known.intervals
        for node in of.plan.nodes:
            of.intervals[node] = forward(of, node, self.given).intersect(_fixed(kept[node]))
            if node in self.targets:
                index = self.targets[node]
                values = of.lower(both_sides(index), target=node, slopes=self.slopes[node], tight=False)
                of.replace(node, with_backward_bounds(of.intervals[node], index, values))
            kept[node] = _fixed(of.intervals[node])
        return of.lower(self.rows, slopes=self.slopes[of.plan.output])


def _fixed(box: Interval) -> Interval:
    return Interval(box.lower.detach(), box.upper.detach())
