"""Bounds on a network over regions of inputs: intervals forwards, linear bounds backwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.region import Region
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph, Node
from lipcert.rounding import UNIT_ROUNDOFF
from lipcert.rules import RULES, AbstractRule
from lipcert.rules.deployment import DEPLOYMENTS, DeployDtype
from lipcert.rules.interval import Interval, entries
from lipcert.rules.relaxation import AbstractRelaxation, inner

Intervals = dict[Node, Interval]


@final
class Bounder:
    """Sound bounds on the logits of a graph as it is deployed.

    graph         any precision; bounds are computed in float64
    deploy_dtype  arithmetic of the deployed network; "real" leaves its rounding out
    max_memory    bytes that one step may hold at once, about
    """

    def __init__(self, graph: Graph, *, deploy_dtype: DeployDtype = "float32", max_memory: int = 2**30) -> None:
        self.graph = graph.to(dtype=torch.float64)
        self.nodes = self.graph.nodes
        self.deployment = DEPLOYMENTS[deploy_dtype]
        self.max_memory = max_memory
        missing = tuple(node.op for node in self.nodes if node.op not in RULES and node.op != "input")
        if missing:
            raise UnsupportedOperatorError(
                f"no rule for {', '.join(sorted(set(missing)))}",
                operators=missing,
                hint="Without one no bound on a region can be proved; everything else is reported.",
            )
        self.rules: dict[Node, AbstractRule] = {node: RULES[node.op]() for node in self.nodes if node.op in RULES}
        self._uses = {node: sum(other.inputs.count(node) for other in self.nodes) for node in self.nodes}

    def intervals(self, region: Region, given: Mapping[Node, Interval] | None = None) -> Intervals:
        """Interval propagation, each node's rounding included. `given` is imposed where it has something to say."""
        found: Intervals = {}
        for node in self.nodes:
            found[node] = self._forward(node, region, found, given)
        return found

    def refine(self, region: Region, given: Mapping[Node, Interval] | None = None) -> Intervals:
        """Intervals, those before nonlinearities tightened by backward bounds."""
        found: Intervals = {}
        with torch.no_grad():
            for node in self.nodes:
                found[node] = self._forward(node, region, found, given)
                if self._worth(node):
                    found[node] = found[node].intersect(self._tighten(node, region, found))
        return found

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
        slopes     of adjustable lower bounds, (N, S or 1, *entries(node)) by node
        extra      rows added at nodes, (N, S, *entries(node))
        """
        return self._backward(self.nodes[-1], rows, region, intervals, slopes=slopes, extra=extra)

    def margins(self, region: Region, labels: Tensor, intervals: Mapping[Node, Interval] | None = None) -> Tensor:
        """At most z_y - z_j over the region, shape (N, classes); 0 at j = y."""
        intervals = self.refine(region) if intervals is None else intervals
        return self.lower(region, margin_rows(labels, self.graph.classes), intervals)

    def _forward(self, node: Node, region: Region, found: Intervals, given: Mapping[Node, Interval] | None) -> Interval:
        if node.op == "input":
            box = region.interval()
        else:
            inputs = tuple(found[source] for source in node.inputs)
            box = self.rules[node].interval(node, inputs)
            box = box.widen(self.rules[node].rounding(node, inputs, box, self.deployment))
        return box.intersect(given[node]) if given and node in given else box

    def _worth(self, node: Node) -> bool:
        users = [other for other in self.nodes if node in other.inputs]
        return node.op != "input" and any(other.op == "relu" for other in users)

    def _tighten(self, node: Node, region: Region, found: Intervals) -> Interval:
        size = entries(node).numel()
        eye = torch.eye(size, dtype=torch.float64).reshape(1, size, *entries(node))
        lower = self._backward(node, torch.cat([eye, -eye], 1), region, found)
        low, high = lower[:, :size], -lower[:, size:]
        return Interval(low, high).reshape(entries(node))

    def _relax(self, node: Node, found: Mapping[Node, Interval]) -> tuple[AbstractRelaxation, Tensor]:
        inputs = tuple(found[source] for source in node.inputs)
        rule = self.rules[node]
        relaxation = rule.relaxation(node, inputs, found[node])
        slack = relaxation.slack + rule.rounding(node, inputs, found[node], self.deployment)
        copies = self._uses[node] * UNIT_ROUNDOFF * found[node].magnitude
        return relaxation, slack + copies

    def _backward(
        self,
        target: Node,
        rows: Tensor,
        region: Region,
        found: Mapping[Node, Interval],
        *,
        slopes: Mapping[Node, Tensor] | None = None,
        extra: Mapping[Node, Tensor] | None = None,
    ) -> Tensor:
        slopes, extra = slopes or {}, extra or {}
        pending: dict[Node, Tensor] = {target: rows.reshape(*rows.shape[:2], *entries(target))}
        total = torch.zeros(len(region), rows.shape[1], dtype=torch.float64)
        spent = torch.zeros_like(total)
        for node in reversed(self.nodes[: self.nodes.index(target) + 1]):
            if node in extra:
                pending[node] = pending[node] + extra[node] if node in pending else extra[node]
            if node not in pending:
                continue
            a = pending.pop(node)
            if node.op == "input":
                terms = [region.lower(a)]
            else:
                relaxation, slack = self._relax(node, found)
                coefficients, offset = relaxation.pull(a, slopes.get(node))
                for source, part in zip(node.inputs, coefficients, strict=True):
                    if part is not None:
                        pending[source] = pending[source] + part if source in pending else part
                terms = [-inner(a.abs(), slack)] + ([] if offset is None else [offset])
            for term in terms:
                total, spent = total + term, spent + term.abs()
        return total - spent * (len(self.nodes) * 8 * UNIT_ROUNDOFF)


def margin_rows(labels: Tensor, classes: int) -> Tensor:
    """Rows e_y - e_j for every class j, shape (N, classes, classes)."""
    eye = torch.eye(classes, dtype=torch.float64, device=labels.device)
    return eye[labels].unsqueeze(1) - eye
