"""A search for the nearest error that walks along the boundaries of affine copies of the classifier."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import (
    ATTACKS,
    AbstractAttack,
    Ball,
    Classifier,
    Nearest,
    Noise,
    OutOfTimeError,
    logits_gradient_loss,
)
from lipcert.attacks.hyperplane import to_hyperplane
from lipcert.attacks.losses import objective, rank_rivals
from lipcert.graph.scores import margins

_ANYWHERE = 1e30
_CUTS = 3
_SHORT = 0.999  # of the way to the boundary, lest rounding decide


@ATTACKS.register("fab")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fab(AbstractAttack):
    """Step a little past the linearised boundary to one rival class, drawn towards the clean sample; then back.

    The boundary to a rival t is linearised at x. With d the shortest way there from x, e that from the clean sample,
    both inside the box, and a the share ||d|| / (||d|| + ||e||), at most `pull`, the next point is
    (1 - a) (x + overshoot d) + a (clean + overshoot e). Where that is an error it goes back to
    clean + back (x - clean). The nearest error met, if outside the ball, is moved inward three times, by the secant.

    steps      gradients of each start
    rivals     how many classes are tried one after the other, the nearest by first order before the others
    restarts   starts a rival: the clean sample first, then random points of the ball, no further out than half the
               distance of the nearest error
    pull, overshoot, back   alpha_max, eta and beta of the paper

    Source: Croce & Hein, arXiv 1907.02044, Algorithm 1 in the targeted form.
    """

    steps: int = 100
    rivals: int = 9
    restarts: int = 1
    pull: float = 0.1
    overshoot: float = 1.05
    back: float = 0.9

    def __post_init__(self) -> None:
        if min(self.steps, self.rivals, self.restarts) < 1:
            raise ValueError(f"steps, rivals and restarts must be 1 or more, got {self}")
        if not (0 <= self.pull <= 1 and 0 < self.back <= 1 <= self.overshoot):
            raise ValueError(f"pull must be in [0, 1], back in (0, 1], overshoot 1 or more, got {self}")

    @property
    def name(self) -> str:
        """The one form there is."""
        return "fab"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """One candidate a sample: the nearest misclassified point met, if it is in the ball, else the clean one."""
        nearest = Nearest(clean, labels, replace(ball, eps=_ANYWHERE))
        with contextlib.suppress(OutOfTimeError):
            ranked = rank_rivals(classify, clean, labels, ball)[:, : self.rivals]
            for restart in range(self.restarts):
                start = _start(nearest, clean, ball, noise, restart) if restart else clean
                for rivals in ranked.T:
                    self._search(nearest, classify, clean, labels, rivals, ball, start)
            _shorten(nearest, classify, clean, labels, ball.eps)
        inside = ball.contains(nearest.points, clean)
        return torch.where(_column(inside, clean), nearest.points, clean)[None]

    def _search(  # noqa: PLR0917  the batch, as `perturb` has it
        self,
        nearest: Nearest,
        classify: Classifier,
        clean: Tensor,
        labels: Tensor,
        rivals: Tensor,
        ball: Ball,
        start: Tensor,
    ) -> None:
        rows, points = torch.arange(len(clean), device=clean.device), start
        climbed = objective("targeted", labels, rivals)
        for _ in range(self.steps):
            logits, gradient, lead = logits_gradient_loss(classify, climbed, points)
            nearest.update(rows, points, logits)
            points = self._step(points, gradient, lead, clean, ball)
            with torch.no_grad():
                wrong = nearest.update(rows, points, classify(points))
            points = torch.where(_column(wrong, points), clean + self.back * (points - clean), points)

    def _step(self, points: Tensor, gradient: Tensor, lead: Tensor, clean: Tensor, ball: Ball) -> Tensor:
        """The next point, past the plane on which the rival's lead is 0 to first order."""
        moved, normal = (points - clean).flatten(1), gradient.flatten(1)
        away = lead - (normal * moved).sum(dim=1)
        both = torch.cat([lead, away])
        room = _room(both, normal.repeat(2, 1), torch.cat([moved, torch.zeros_like(moved)]), clean, ball)
        ways = to_hyperplane(both, normal.repeat(2, 1), room, ball.norm)
        near, far = ways.chunk(2)
        lengths = torch.linalg.vector_norm(ways, {"l1": 1, "l2": 2, "linf": torch.inf}[ball.norm], dim=1)
        total = (lengths[: len(clean)] + lengths[len(clean) :]).clamp_min(torch.finfo(points.dtype).tiny)
        share = (lengths[: len(clean)] / total).clamp_max(self.pull)[:, None]
        wanted = (1 - share) * (moved + self.overshoot * near) + share * self.overshoot * far
        return _clip((clean.flatten(1) + wanted).reshape(clean.shape), clean, ball)


def _room(residual: Tensor, normal: Tensor, moved: Tensor, clean: Tensor, ball: Ball) -> Tensor:
    """How far each coordinate of clean + moved can go to the side that lowers |residual|."""
    direction = -residual.sign()[:, None] * normal.sign()
    flat = clean.flatten(1).repeat(len(residual) // len(clean), 1)
    return (ball.room(direction, flat) - direction * moved).clamp_min(0.0)


def _start(nearest: Nearest, clean: Tensor, ball: Ball, noise: Noise, draw: int) -> Tensor:
    share = (nearest.distance / max(ball.eps, torch.finfo(clean.dtype).tiny)).clamp_max(1.0) / 2
    drawn = ball.sample(clean, noise, draw) - clean
    return _clip(clean + _column(share.to(clean.dtype), clean) * drawn, clean, ball)


def _clip(points: Tensor, clean: Tensor, ball: Ball) -> Tensor:
    """Points clipped to the box that holds the input range and the clean samples."""
    if ball.input_range is None:
        return points
    low, high = ball.input_range
    return torch.minimum(torch.maximum(points, clean.clamp_max(low)), clean.clamp_min(high))


def _shorten(nearest: Nearest, classify: Classifier, clean: Tensor, labels: Tensor, eps: float) -> None:
    """Move errors outside the ball towards the clean samples by the secant of the margin, as long as they are errors.

    Those inside stay past the boundary, where the file's own runtime is not in doubt about them.
    """
    rows = ((nearest.distance > eps) & nearest.distance.isfinite()).nonzero()[:, 0]
    if not len(rows):
        return
    inner = clean[rows]
    with torch.no_grad():
        below, above = (_margins(classify, points, labels[rows]) for points in (nearest.points[rows], inner))
        for _ in range(_CUTS):
            outer = nearest.points[rows]
            share = _SHORT * (below / (below - above)).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).clamp(0.0, 1.0)
            tried = outer + _column(share.to(outer.dtype), outer) * (inner - outer)
            logits = classify(tried)
            wrong = nearest.update(rows, tried, logits)
            here = margins(logits.to(torch.float64), labels[rows])
            below = torch.where(wrong, here, below)
            above = torch.where(wrong, above, here)
            inner = torch.where(_column(wrong, inner), inner, tried)


def _margins(classify: Classifier, points: Tensor, labels: Tensor) -> Tensor:
    return margins(classify(points).to(torch.float64), labels)


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.ndim - 1))
