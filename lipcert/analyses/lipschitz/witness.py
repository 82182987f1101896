"""Lower ends: the largest Jacobian norm that a walk uphill from samples and from random points meets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lipcert.graph.jacobian import jacobians
from lipcert.norms.base import BUDGETS
from lipcert.norms.witness import passes, steepness
from lipcert.operators import JacobianOperator
from lipcert.progress import Progress
from lipcert.records import Norm
from lipcert.rules import LayerNorms

WITNESS = "Jacobian norm"
_NORMS: tuple[Norm, ...] = ("l2", "linf", "l1")
_RANDOM_POINTS = 4
_MOST_SAMPLES = 16
_STARTS = 32
_ROUNDS = 40
_HAIR = 1e-9


def climb(
    norms: LayerNorms, inputs: Tensor | None, input_range: tuple[float, float], progress: Progress
) -> dict[Norm, float]:
    """The largest Jacobian norms over the points that the effort pays for, one at least."""
    best: dict[Norm, float] = dict.fromkeys(_NORMS, 0.0)
    points = _points(norms, inputs, input_range)
    for done, point in enumerate(points):
        progress("lipschitz", done, len(points))
        found = steepness(JacobianOperator(norms.graph, point), seed=norms.seed)
        best = {norm: max(best[norm], found[norm]) for norm in _NORMS}
    progress("lipschitz", len(points), len(points))
    return best


def _points(norms: LayerNorms, inputs: Tensor | None, input_range: tuple[float, float]) -> Sequence[Tensor]:
    """The tops of walks uphill; samples and random points in turn after them, as many as the effort pays for."""
    graph = norms.graph
    generator = torch.Generator().manual_seed(norms.seed)
    low, high = input_range
    uniform = torch.rand(_RANDOM_POINTS, *graph.input_shape, generator=generator, dtype=torch.float64)
    drawn = list((low + (high - low) * uniform).to(graph.device))
    near = torch.empty(0) if inputs is None else inputs[:_MOST_SAMPLES].to(graph.device, torch.float64)
    given = list(_off_the_kinks(near, generator))
    points = [*given[:1], *drawn[:1], *given[1:], *drawn[1:]]
    work = sum(operator.work for node in graph.nodes if (operator := norms.operator(node)) is not None)
    price = 2.0 * passes(JacobianOperator(graph, points[0])) * max(1.0, work)
    affordable = int(2 * BUDGETS[norms.effort] / price)
    tops = _uphill(norms, torch.stack(points), affordable, high - low, generator)
    return [*tops, *points[: max(1, affordable - len(tops))]]


def _uphill(
    norms: LayerNorms, points: Tensor, affordable: int, width: float, generator: torch.Generator
) -> list[Tensor]:
    """The steepest point of a walk from each start, by random steps along which the Jacobian's norm grows.

    A network of linear pieces has a Jacobian without slope, so there is no gradient to follow; a step that crosses
    into a steeper piece is kept, and its length shrinks where none was found.
    """
    starts = min(_STARTS, affordable // 16)
    if starts < 1 or norms.graph.classes > 32:
        return []
    x = points[torch.arange(starts, device=points.device) % len(points)].clone()
    rounds = min(_ROUNDS, affordable // starts)
    best = torch.linalg.matrix_norm(jacobians(norms.graph, x), 2)
    step = torch.full((starts, *[1] * (x.ndim - 1)), 0.5 * width, dtype=x.dtype, device=x.device)
    for _ in range(rounds):
        drawn = torch.randn(x.shape, generator=generator, dtype=torch.float64).to(x.device)
        moved = x + step * drawn
        there = torch.linalg.matrix_norm(jacobians(norms.graph, moved), 2)
        higher = there > best
        x[higher], best[higher] = moved[higher], there[higher]
        step *= torch.where(higher, 1.5, 0.8).reshape(step.shape)
    return list(x[best.argsort(descending=True)[:4]])


def _off_the_kinks(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Samples moved by a hair.

    At a kink autograd may give a matrix that is no limit of Jacobians (x - relu(x) + relu(-x) is 0, and 1 is what
    autograd says at 0). Stored samples can lie on kinks, blank images above all; drawn points do so with probability 0.
    """
    drawn = torch.rand(inputs.shape, generator=generator, dtype=torch.float64)
    return inputs + _HAIR * (1 + inputs.abs()) * (2 * drawn - 1).to(inputs.device)
