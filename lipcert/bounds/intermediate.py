"""Bounds of the values inside a network: intervals first, backward bounds for those that matter.

Going forward, each node gets its interval and its relaxation. Where that relaxation loses something, tighter intervals
of its inputs would lose less, and they are found by backward bounds, one row up and one down, for the neurons

* at which the lines of an elementwise relaxation differ (the unstable ones of a ReLU);
* with an interval of positive width, where the op couples its inputs (pools, products): those read the bounds of
  stable neurons too. Behind an activation it is the activation's input that is tightened.

Backward bounds are taken together with the intervals, whichever is tighter. Rows are padded to the largest number of
neurons over the samples, and made in portions within the memory allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Size, Tensor

from lipcert.bounds.linearisation import Linearisation
from lipcert.bounds.memory import row_bytes
from lipcert.bounds.plan import Plan
from lipcert.bounds.rounding import FLOOR, deployed_rounding
from lipcert.bounds.slides import opens_windows
from lipcert.bounds.units import both_sides
from lipcert.graph import Node
from lipcert.rules.interval import Interval, entries
from lipcert.rules.largest import Largest
from lipcert.rules.relaxation import AbstractRelaxation, Affine, Elementwise
from lipcert.rules.selection import Selection

Targets = Mapping[Node, Tensor]

_PORTION = 2**22  # bytes: rows that stay in the processor's cache are bounded several times faster


def forward(known: Linearisation, node: Node, given: Mapping[Node, Interval]) -> Interval:
    """The interval of one node from those of its sources, its rounding included."""
    rules, deployment = known.plan.rules, known.deployment
    if node.op == "input":
        box = known.region.interval()
        if deployment.store > 2.0**-24:
            box = box.widen(deployment.steps(1) * box.magnitude + FLOOR)
    else:
        box = rules[node].interval(node, known.inputs(node))
        box = box.widen(deployed_rounding(rules[node], node, known.inputs(node), box, deployment))
    return box.intersect(given[node]) if node in given else box


@final
class Refinement:
    """A forward pass that tightens what it needs.

    targets  what was tightened: node -> indices (N, K) of neurons, some padding among them
    """

    def __init__(self, linearisation: Linearisation, given: Mapping[Node, Interval], max_memory: int) -> None:
        self.known, self.given, self.max_memory = linearisation, given, max_memory
        self.plan, self.region = linearisation.plan, linearisation.region
        self._done: dict[Node, Tensor] = {}
        self.targets: dict[Node, list[Tensor]] = {}

    def run(self) -> None:
        """Fill the linearisation's intervals."""
        for node in self.plan.nodes:
            self._forward(node)
            if node.op == "input" or node in self.plan.idle or self.known.relaxation(node).linear:
                continue
            changed = False
            for source in dict.fromkeys(self.plan.sources[node]):
                changed |= self._prepare(node, source)
            if changed:
                self._forward(node)

    def _forward(self, node: Node) -> None:
        self.known.replace(node, forward(self.known, node, self.given))

    def _prepare(self, node: Node, source: Node) -> bool:
        """Tighten what a node with a lossy relaxation reads; whether anything was done."""
        relaxation = self.known.relaxation(node)
        if isinstance(relaxation, Elementwise):
            return self._reach(source, relaxation.uncertain.expand(len(self.region), *entries(source)))
        wide = self.known.intervals[source].lower < self.known.intervals[source].upper
        if isinstance(relaxation, Largest):
            wide = wide & relaxation.contested[self.plan.sources[node].index(source)]
        return self._reach(source, wide, through=Elementwise)

    def _reach(self, node: Node, wanted: Tensor, through: type[AbstractRelaxation] | None = None) -> bool:
        """Tighten some neurons of a node (N, *entries) where they come from; whether anything was done.

        Copies are followed to what they are copies of, and what has a relaxation of the kind `through` to its input.
        """
        if node.op == "input":
            return False
        relaxation, changed = self.known.relaxation(node), False
        if isinstance(self.plan.rules[node], Selection) and isinstance(relaxation, Affine):
            for source, adjoint in zip(self.plan.sources[node], relaxation.adjoints, strict=True):
                copied = None if adjoint is None else adjoint(wanted.double()) > 0
                changed |= copied is not None and self._reach(source, copied, through)
        elif through is not None and isinstance(relaxation, through):
            changed = self._tighten(self.plan.sources[node][0], wanted)
        else:
            return self._tighten(node, wanted)
        if changed:
            self._forward(node)
        return changed

    def _tighten(self, node: Node, wanted: Tensor) -> bool:
        """Backward bounds of some neurons of a node, (N, *entries); whether there were any."""
        if node.op == "input" or self._settled(node):
            return False
        wanted = wanted.flatten(1)
        if node in self._done:
            wanted = wanted & ~self._done[node]
        self._done[node] = self._done.get(node, torch.zeros_like(wanted)) | wanted
        count = int(wanted.sum(1).max())
        if count == 0:
            return False
        index = _chosen(wanted, entries(node), count)
        self.targets.setdefault(node, []).append(index)
        windowed = is_map(self.plan, node)
        portion = self._portion(node, windowed=windowed)
        found = [self.known.lower(both_sides(i), target=node, tight=False) for i in index.split(portion, dim=1)]
        low, high = (torch.cat(side, 1) for side in zip(*(values.chunk(2, dim=1) for values in found), strict=True))
        # Padding has bounds as well, but what a sample gets must not depend on the others of its batch.
        values = torch.cat([low, high], 1).masked_fill(~wanted.gather(1, index).repeat(1, 2), -torch.inf)
        self.known.replace(node, with_backward_bounds(self.known.intervals[node], index, values))
        return True

    def _portion(self, node: Node, *, windowed: bool) -> int:
        bytes_a_pair = 2 * len(self.region) * row_bytes(self.plan, node, windowed=windowed)
        return max(1, min(self.max_memory, _PORTION * 6) // bytes_a_pair)

    def _settled(self, node: Node) -> bool:
        """Whether intervals lose nothing up to a node: over a box, one sum of products of separate inputs."""
        return self.region.norm == "linf" and self._mixing(node) <= 1

    def _mixing(self, node: Node) -> int:
        """0 where each entry depends on one input entry, 1 behind one affine op with sums, 2 beyond that."""
        if node.op == "input":
            return 0
        sources = self.plan.sources[node]
        if len(sources) != 1:
            return 2
        before, relaxation = self._mixing(sources[0]), self.known.relaxation(node)
        if isinstance(relaxation, Elementwise):
            return before if relaxation.exact or before == 0 else 2
        if isinstance(self.plan.rules[node], Selection) or getattr(relaxation, "identity", False):
            return before
        return 1 if relaxation.linear and before == 0 else 2


def with_backward_bounds(box: Interval, index: Tensor, values: Tensor) -> Interval:
    """The interval cut by lower bounds of e_i and then -e_i for neurons (N, K): values (N, 2 K)."""
    low, high = values[:, : index.shape[1]], -values[:, index.shape[1] :]
    lower, upper = box.lower.flatten(1), box.upper.flatten(1)
    lower = lower.scatter(1, index, torch.maximum(low, lower.gather(1, index)))
    upper = upper.scatter(1, index, torch.minimum(high, upper.gather(1, index)))
    return Interval(lower.reshape(box.lower.shape), upper.reshape(box.upper.shape))


def _chosen(wanted: Tensor, shape: Size, count: int) -> Tensor:
    """Indices of the wanted neurons of each sample first, (N, count), those at one place of a map side by side."""
    channels = shape[0] if len(shape) > 1 else 1
    by_place = wanted.reshape(len(wanted), channels, -1).mT.flatten(1)
    found = by_place.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :count]
    return found % channels * (shape.numel() // channels) + found // channels


def is_map(plan: Plan, node: Node) -> bool:
    """Whether units of a node become windows: a convolution's output, or entry by entry after it."""
    while not opens_windows(node):
        sources = plan.sources[node]
        if not sources or node.op == "input" or any(entries(source) != entries(node) for source in sources):
            return False
        node = sources[0]
    return True
