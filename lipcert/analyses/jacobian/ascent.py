"""Projected gradient ascent in an l2 ball, in the form that makes it comparable with the power method."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from lipcert.attacks import Ball, Noise
from lipcert.attacks.base import Objective, logits_and_gradient
from lipcert.graph import Graph
from lipcert.graph.scores import error_log_odds


def ascend(
    graph: Graph, clean: Tensor, objective: Objective, start: Tensor, *, radius: float, steps: int, step: float
) -> Tensor:
    """The displacement x_k - x after `steps` steps x_k = project(x_{k-1} + step * v_k), v_k the gradient's direction.

    Not clipped to an input range, and of norm at most `radius`, shape of `clean`. With an infinite step the projection
    forgets x_{k-1} and leaves x + radius * v_k. A vanishing gradient leaves a point where it is.

    clean      (N, *input_shape) in the dtype and on the device of `graph`
    objective  logits (N, classes) -> (N,)
    start      unit directions, shape of `clean`: the gradient of a squared change of the logits is zero at x itself

    Source: Roth, Kilcher & Hofmann, arXiv 1906.01527, section 3 (v3): PGA in the form of a power method.
    """
    ball = Ball(norm="l2", eps=radius)
    points = ball.project(clean + radius * start, clean)
    for _ in range(steps):
        _, gradient = logits_and_gradient(graph, objective, points)
        direction = ball.steepest(gradient)
        moved = clean + radius * direction if math.isinf(step) else points + step * direction
        points = ball.project(moved, clean)
    return points - clean


def toward_errors(labels: Tensor) -> Objective:
    """The cross-entropy, up to a monotone function: its gradient has the same direction and does not vanish."""
    return partial(error_log_odds, labels=labels)


def away_from(logits: Tensor) -> Objective:
    """Half the squared change of the logits."""
    return lambda moved: (moved - logits).square().sum(dim=1) / 2


def random_directions(like: Tensor, *, seed: int, stage: str, draw: int = 0) -> Tensor:
    """Unit directions uniform on the sphere, one a sample."""
    noise = Noise(seed=seed, stage=stage, indices=tuple(range(len(like))))
    return unit(noise.normal(like, draw))


def unit(displacements: Tensor) -> Tensor:
    """Each displacement over its l2 norm; zero stays zero."""
    lengths: Tensor = torch.linalg.vector_norm(displacements.flatten(1), dim=1)
    lengths = lengths.clamp_min(torch.finfo(displacements.dtype).tiny)
    return displacements / lengths.reshape(-1, *[1] * (displacements.ndim - 1))
