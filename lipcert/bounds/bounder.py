"""Bounds on a network over regions of inputs: intervals forwards, linear bounds backwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, final

import torch
from torch import Tensor

from lipcert.bounds.alpha import final_alpha
from lipcert.bounds.intermediate import Refinement, Targets, forward
from lipcert.bounds.joint_alpha import full_alpha
from lipcert.bounds.linearisation import Intervals, Linearisation
from lipcert.bounds.memory import DEFAULT_MEMORY, row_bytes
from lipcert.bounds.plan import Plan
from lipcert.bounds.region import Region
from lipcert.graph import Graph, Node
from lipcert.rules.deployment import DEPLOYMENTS, DeployDtype
from lipcert.rules.interval import Interval

__all__ = ["Bounder", "Intervals", "margin_rows"]

Slopes = Literal["fixed", "final", "full"]
_GROUP = 2**27  # bytes that the shortest portion of a group's rows may take: longer ones leave the processor's cache


@final
class Bounder:
    """Sound bounds on the logits of a graph as it is deployed.

    graph         any precision; bounds are computed in float64
    deploy_dtype  arithmetic of the deployed network; "real" leaves its rounding out
    max_memory    bytes that the rows of one step may hold at once, about

    The statement: for every input in the region that the deployed type can hold, evaluated in the deployed type with
    sums in any order, fused or not. See `Deployment` for what that leaves out, `linearisation` for the argument.
    Raises UnsupportedOperatorError, naming the ops, where a rule is missing: on construction, or in the first pass.
    """

    def __init__(
        self, graph: Graph, *, deploy_dtype: DeployDtype = "float32", max_memory: int = DEFAULT_MEMORY
    ) -> None:
        self.deployment = DEPLOYMENTS[deploy_dtype]
        self.plan = Plan(graph, self.deployment.dtype)
        self.max_memory = max_memory

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that intervals, slopes and extra rows are filed under, the logits last."""
        return self.plan.nodes

    @property
    def row_bytes(self) -> int:
        """Bytes at most that one row of one sample takes on its way: what `max_memory` is shared out by."""
        return row_bytes(self.plan, self.plan.output, windowed=False)

    def intervals(self, region: Region, given: Mapping[Node, Interval] | None = None) -> Intervals:
        """Interval propagation, each node's rounding included. `given` is imposed where it has something to say."""
        known = Linearisation(self.plan, region, self.deployment, {})
        for node in self.plan.nodes:
            known.intervals[node] = forward(known, node, given or {})
        return known.intervals

    def refine(self, region: Region, given: Mapping[Node, Interval] | None = None) -> Intervals:
        """Intervals, tightened by backward bounds where nonlinear ops read them. `given` as in `intervals`."""
        return self.refined(region, given).intervals

    def refined(self, region: Region, given: Mapping[Node, Interval] | None = None) -> Linearisation:
        """The same, ready for bounds. Many samples are taken in groups."""
        count = max(1, min(self.max_memory, _GROUP) // (2 * self.row_bytes))
        if len(region) <= count:
            return self._refined(region, given or {})[0]
        groups = torch.arange(len(region)).split(count)
        parts = [self._refined(region[some], _cut(given or {}, some))[0].intervals for some in groups]
        return self.linearise(region, {node: _joined([part[node] for part in parts]) for node in self.nodes})

    def linearise(self, region: Region, intervals: Mapping[Node, Interval]) -> Linearisation:
        """Relaxations from given intervals, for many bounds on one region."""
        return Linearisation(self.plan, region, self.deployment, intervals)

    def lower(
        self,
        region: Region,
        rows: Tensor,
        intervals: Mapping[Node, Interval],
        *,
        slopes: Mapping[Node, Tensor] | None = None,
        extra: Mapping[Node, Tensor] | None = None,
    ) -> Tensor:
        """At most <row, logits> (+ <extra, values>) over the region, shape (N, S).

        rows       (N or 1, S, classes)
        intervals  of every node, from `intervals` or `refine`
        slopes     of adjustable lower bounds by node, (N, S or 1, *entries(node))
        extra      rows added at nodes, (N or 1, S, *entries(node))

        Differentiable in `slopes` and `extra`, and sound whatever they are.
        """
        return self.linearise(region, intervals).lower(rows, slopes=slopes, extra=extra)

    def margins(
        self,
        region: Region,
        labels: Tensor,
        intervals: Mapping[Node, Interval] | None = None,
        *,
        slopes: Slopes = "fixed",
        steps: int = 20,
    ) -> Tensor:
        """At most z_y - z_j over the region, shape (N, classes); about 0 at j = y.

        intervals  those of `intervals` or `refine`; refined ones are made where none are given
        slopes     "fixed" takes each relaxation's own, "final" chooses those of the last pass for every margin that
                   is not proved positive without, "full" those of all passes, from scratch
        steps      of gradient ascent
        """
        with torch.no_grad():
            if slopes == "full":
                return self._fully(region, labels, steps)
            known = self.refined(region) if intervals is None else self.linearise(region, intervals)
            found = self._in_portions(known, labels)
            if slopes == "final":
                rows = margin_rows(labels, self.plan.graph.classes)
                found = final_alpha(known, rows, start=found, steps=steps, max_memory=self.max_memory)
            return found

    def _in_portions(self, known: Linearisation, labels: Tensor) -> Tensor:
        """Margins with fixed slopes, as many classes and samples at once as memory allows."""
        classes, allowed = self.plan.graph.classes, max(1, self.max_memory // self.row_bytes)
        if len(labels) * classes <= allowed:
            return known.lower(margin_rows(labels, classes))
        found = []
        for some in torch.arange(len(labels), device=labels.device).split(max(1, allowed // classes)):
            part, rows = known[some], margin_rows(labels[some], classes)
            found.append(torch.cat([part.lower(few) for few in rows.split(allowed, dim=1)], 1))
        return torch.cat(found)

    def _fully(self, region: Region, labels: Tensor, steps: int) -> Tensor:
        rows = margin_rows(labels, self.plan.graph.classes)
        count = max(1, min(self.max_memory, _GROUP) // (2 * self.row_bytes))
        found = []
        for some in torch.arange(len(region)).split(count):
            known, targets = self._refined(region[some], {})
            found.append(full_alpha(known, targets, rows[some], steps=steps, max_memory=self.max_memory))
        return torch.cat(found)

    def _refined(self, region: Region, given: Mapping[Node, Interval]) -> tuple[Linearisation, Targets]:
        known = Linearisation(self.plan, region, self.deployment, {})
        refinement = Refinement(known, given, self.max_memory)
        with torch.no_grad():
            refinement.run()
        return known, {node: torch.cat(parts, 1) for node, parts in refinement.targets.items()}


def margin_rows(labels: Tensor, classes: int) -> Tensor:
    """Rows e_y - e_j for every class j, shape (N, classes, classes)."""
    eye = torch.eye(classes, dtype=torch.float64, device=labels.device)
    return eye[labels].unsqueeze(1) - eye


def _cut(intervals: Mapping[Node, Interval], samples: Tensor) -> Intervals:
    return {node: Interval(box.lower[samples], box.upper[samples]) for node, box in intervals.items()}


def _joined(boxes: list[Interval]) -> Interval:
    return Interval(torch.cat([box.lower for box in boxes]), torch.cat([box.upper for box in boxes]))
