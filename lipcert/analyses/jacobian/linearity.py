"""How far the Jacobian at a sample foretells what happens around it."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.analyses.jacobian.alignment import Base, attack_direction
from lipcert.analyses.jacobian.ascent import unit
from lipcert.graph import Graph, Node
from lipcert.graph.intermediate import values_of
from lipcert.graph.jacobian import jacobians
from lipcert.records import LinearityRecord
from lipcert.records.linearity import Direction
from lipcert.rules.base import RULES

SHARES = (0.125, 0.25, 0.5, 1.0, 2.0)
"""Of the reference radius: the distances looked at."""

_WEIGHTED = frozenset({"addmm", "mm", "linear", "matmul", "bmm", "convolution"})


def profile(base: Base, radius: float, *, seed: int = 0, batch_size: int = 256) -> tuple[LinearityRecord, ...]:
    """Deviation from linearity and spectral norm at `SHARES` of `radius`, along an attack and along random directions.

    The directions stay the same at all distances: the straight line through the point the attack of `radius` found.

    Source: Roth, Kilcher & Hofmann, arXiv 1906.01527 (v3), figure 2: |h(x + z) - (h(x) + J_h z)|_2.
    """
    nodes = [base.graph.output]
    feature = penultimate(base.graph)
    if feature is not None:
        nodes.append(feature)
    kinds: tuple[Direction, ...] = ("cross-entropy attack", "random")
    return tuple(record for kind in kinds for record in _along(base, kind, radius, nodes, seed=seed, size=batch_size))


def _along(
    base: Base, kind: Direction, radius: float, nodes: list[Node], *, seed: int, size: int
) -> list[LinearityRecord]:
    direction = unit(attack_direction(base, kind, radius, seed=seed))
    start, slopes = pushforward(base.graph, nodes, base.points, direction)
    records = []
    for distance in (share * radius for share in SHARES):
        moved = base.points + distance * direction
        with torch.no_grad():
            values = [value.flatten(1) for value in values_of(base.graph, nodes, moved)]
        changes = [value - at for value, at in zip(values, start, strict=True)]
        misses = [change - distance * slope for change, slope in zip(changes, slopes, strict=True)]
        gram = _gram(jacobians(base.graph, moved, batch_size=size).to(torch.float64))
        spectral = torch.linalg.eigvalsh(gram)[:, -1].clamp_min(0).sqrt()
        records.append(
            LinearityRecord(
                direction=kind,
                radius=distance,
                samples=len(moved),
                logit_change=_mean_norm(changes[0]),
                logit_deviation=_mean_norm(misses[0]),
                feature_change=_mean_norm(changes[1]) if len(nodes) > 1 else None,
                feature_deviation=_mean_norm(misses[1]) if len(nodes) > 1 else None,
                spectral_norm=float(spectral.mean()),
            )
        )
    return records


def pushforward(graph: Graph, nodes: list[Node], x: Tensor, tangent: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Values of nodes and their derivatives along `tangent`, each of shape (N, entries), by forward differentiation."""

    def run(at: Tensor) -> tuple[Tensor, ...]:
        return tuple(value.flatten(1) for value in values_of(graph, nodes, at))

    with torch.no_grad():
        found = torch.func.jvp(run, (x,), (tangent,))
    return list(found[0]), list(found[1])


def penultimate(graph: Graph) -> Node | None:
    """What the last layer with weights reads, if all that follows it is affine; None where there is no such layer."""
    node = graph.output
    while node.op not in _WEIGHTED or len(node.inputs) != 1:
        if len(node.inputs) != 1 or node.op not in RULES or RULES[node.op]().link(node) is None:
            return None
        node = node.inputs[0]
    source = node.inputs[0]
    return None if source.op == "input" else source


def _gram(jacobian: Tensor) -> Tensor:
    wide = jacobian.shape[1] <= jacobian.shape[2]
    return jacobian @ jacobian.mT if wide else jacobian.mT @ jacobian


def _mean_norm(vectors: Tensor) -> float:
    return float(vectors.to(torch.float64).norm(dim=1).mean())
