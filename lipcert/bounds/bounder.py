"""Bounds on a network over regions of inputs: intervals forwards, linear bounds backwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.intermediate import Refinement, forward
from lipcert.bounds.linearisation import Intervals, Linearisation
from lipcert.bounds.plan import Plan
from lipcert.bounds.region import Region
from lipcert.graph import Graph, Node
from lipcert.rules.deployment import DEPLOYMENTS, DeployDtype
from lipcert.rules.interval import Interval

__all__ = ["Bounder", "Intervals", "margin_rows"]


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

    def __init__(self, graph: Graph, *, deploy_dtype: DeployDtype = "float32", max_memory: int = 2**30) -> None:
        self.plan = Plan(graph)
        self.deployment = DEPLOYMENTS[deploy_dtype]
        self.max_memory = max_memory

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that intervals, slopes and extra rows are filed under, the logits last."""
        return self.plan.nodes

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
        """The same, ready for bounds."""
        known = Linearisation(self.plan, region, self.deployment, {})
        with torch.no_grad():
            Refinement(known, given or {}, self.max_memory).run()
        return known

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

    def margins(self, region: Region, labels: Tensor, intervals: Mapping[Node, Interval] | None = None) -> Tensor:
        """At most z_y - z_j over the region, shape (N, classes); about 0 at j = y."""
        known = self.refined(region) if intervals is None else self.linearise(region, intervals)
        with torch.no_grad():
            return known.lower(margin_rows(labels, self.plan.graph.classes))


def margin_rows(labels: Tensor, classes: int) -> Tensor:
    """Rows e_y - e_j for every class j, shape (N, classes, classes)."""
    eye = torch.eye(classes, dtype=torch.float64, device=labels.device)
    return eye[labels].unsqueeze(1) - eye
