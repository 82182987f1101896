"""Steps in l1: along the steepest coordinates, as many as the perturbation found so far suggests."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.attacks.apgd.ascent import Ascent, column
from lipcert.attacks.ball import Ball

_EVERY = 0.04
_SHRINK = 1.5
_SIMILAR = 0.95
_LEAST = 0.1


@final
class Sparse:
    """Steps of l1 norm eps, spread evenly over the k steepest coordinates that the box leaves room to move.

    k is a fifth of all at first. After every 4 % of the steps it becomes 2/3 of the coordinates in which the best
    point differs from the clean sample; the step is then divided by 1.5 where that number has settled, down to a
    tenth of eps, and otherwise starts again at eps, from the best point.

    Source: Croce & Hein, arXiv 2103.01208, Algorithm 1; coordinates without room are passed over here.
    """

    def __init__(self, ball: Ball, steps: int) -> None:
        self.ball, self.every = ball, max(1, int(_EVERY * steps))

    def begin(self, ascent: Ascent) -> None:
        """Set the first step and the number of coordinates it moves."""
        ascent.step = torch.full_like(ascent.step, self.ball.eps)
        ascent.features = torch.full_like(ascent.step, max(1.0, ascent.points[0].numel() / 5))

    def move(self, ascent: Ascent, gradient: Tensor, step: int) -> None:
        """Choose the next points of all samples."""
        if step and step % self.every == 0:
            gradient = self._review(ascent, gradient)
        direction = self._direction(ascent, gradient)
        ascent.previous = ascent.points
        ascent.points = self.ball.project(ascent.points + column(ascent.step, direction) * direction, ascent.clean)

    def _review(self, ascent: Ascent, gradient: Tensor) -> Tensor:
        used = (ascent.best != ascent.clean).flatten(1).sum(dim=1).to(ascent.features.dtype)
        wanted = (used / _SHRINK).clamp_min(1.0)
        settled = wanted >= _SIMILAR * ascent.features
        shorter = (ascent.step / _SHRINK).clamp_min(_LEAST * self.ball.eps)
        back = column(~settled, ascent.points)
        ascent.step = torch.where(settled, shorter, self.ball.eps)
        ascent.points = torch.where(back, ascent.best, ascent.points)
        ascent.features = wanted
        return torch.where(back, ascent.best_gradient, gradient)

    def _direction(self, ascent: Ascent, gradient: Tensor) -> Tensor:
        """Signs of the k steepest coordinates with room, over their number."""
        flat, points = gradient.flatten(1), ascent.points.flatten(1)
        if self.ball.input_range is not None:
            low, high = self.ball.input_range
            flat = torch.where((flat > 0) & (points >= high) | (flat < 0) & (points <= low), 0.0, flat)
        size = flat.abs()
        most = int(ascent.features.max())
        largest = size.topk(min(most, size.shape[1]), dim=1).values
        last = (ascent.features.long() - 1).clamp_max(largest.shape[1] - 1)
        chosen = (size >= largest.gather(1, last[:, None])) & (size > 0)
        count = chosen.sum(dim=1, keepdim=True).clamp_min(1)
        return (flat.sign() * chosen / count).reshape(gradient.shape)
