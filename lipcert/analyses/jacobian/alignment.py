"""Whether attacks follow the leading singular directions of the Jacobian."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.ascent import ascend, away_from, random_directions, toward_errors, unit
from lipcert.analyses.jacobian.singular import right_vectors
from lipcert.graph import Graph
from lipcert.records import AlignmentRecord, Skipped
from lipcert.records.linearity import Direction

SMALL = 0.05  # of the reference radius: where the attack on the logits is nearly linear
_CE_STEPS, _CE_STEP = 10, 0.5
_LOGIT_STEPS = 20


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Base:
    """Samples with what is known at them.

    points    (N, *input_shape) in the dtype of the graph
    labels    (N,), true ones or, where there are none, the predicted ones
    logits    (N, K), and jacobian (N, K, D)
    """

    graph: Graph
    points: Tensor
    labels: Tensor
    logits: Tensor
    jacobian: Tensor


def attack_direction(base: Base, kind: Direction, radius: float, *, seed: int) -> Tensor:
    """Displacements of norm at most `radius`, one a sample.

    cross-entropy attack  10 steps of half the radius on the cross-entropy
    logit attack          20 infinite steps on the squared change of the logits, which is a power method
    """
    start = random_directions(base.points, seed=seed, stage=kind)
    if kind == "random":
        return radius * start
    if kind == "logit attack":
        goal, steps, step = away_from(base.logits), _LOGIT_STEPS, math.inf
    else:
        goal, steps, step = toward_errors(base.labels), _CE_STEPS, _CE_STEP * radius
    return ascend(base.graph, base.points, goal, start, radius=radius, steps=steps, step=step)


def align(base: Base, radius: float, *, seed: int = 0) -> tuple[AlignmentRecord, ...] | Skipped:
    """Each attack at a twentieth of `radius` and at `radius`, and random directions as a control.

    Samples where the Jacobian is zero have no singular directions and are left out.

    Source: Roth, Kilcher & Hofmann, arXiv 1906.01527 (v3), figures 1 and 3.
    """
    values, vectors = right_vectors(base.jacobian)
    steep = values[:, 0] > 0
    if not steep.any():
        return Skipped(reason="the Jacobian is zero at every sample looked at, so it has no singular directions")
    records = []
    for kind in ("cross-entropy attack", "logit attack"):
        for size in (SMALL * radius, radius):
            moved = attack_direction(base, kind, size, seed=seed)
            gains = _gains(base, moved, size, values[:, 0])
            records.append(_record(kind, size, moved[steep], values[steep], vectors[steep], gain=gains[steep]))
    random = attack_direction(base, "random", 1.0, seed=seed)
    return (*records, _record("random", 0.0, random[steep], values[steep], vectors[steep], gain=None))


def _gains(base: Base, moved: Tensor, radius: float, spectral: Tensor) -> Tensor:
    with torch.no_grad():
        change = base.graph(base.points + moved) - base.logits
    moves: Tensor = torch.linalg.vector_norm(change.to(torch.float64), dim=1)
    return moves / (radius * spectral).clamp_min(torch.finfo(torch.float64).tiny)


def _record(
    kind: Direction, radius: float, moved: Tensor, values: Tensor, vectors: Tensor, *, gain: Tensor | None
) -> AlignmentRecord:
    cosines = (vectors @ unit(moved).to(torch.float64).flatten(1)[:, :, None])[:, :, 0].abs()
    known = vectors.flatten(2).norm(dim=2) > 0
    count = known.sum(dim=0)
    means = (cosines * known).sum(dim=0) / count.clamp_min(1)
    return AlignmentRecord(
        direction=kind,
        radius=radius,
        samples=len(values),
        by_rank=tuple(mean if n else None for mean, n in zip(means.tolist(), count.tolist(), strict=True)),
        median_first=float(cosines[:, 0].quantile(0.5)),
        gain=None if gain is None else float(gain.quantile(0.5)),
    )
