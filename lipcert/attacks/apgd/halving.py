"""Steps in l2 and linf: with momentum, halved when the loss no longer rises as it should."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.apgd.ascent import Ascent, column
from lipcert.attacks.ball import Ball

_MOMENTUM = 0.75
_ENOUGH = 0.75


@final
class Halving:
    """Steps of 2 eps at first, halved at a mark where progress has ended; the sample then returns to its best point.

    Progress has ended where fewer than 3/4 of the steps since the last mark raised the loss, or where the best loss did
    not grow although the step was not halved at the last mark.

    Source: Croce & Hein, arXiv 2003.01690, Algorithm 1.
    """

    def __init__(self, ball: Ball, steps: int) -> None:
        self.ball, self.marks = ball, marks(steps)

    def begin(self, ascent: Ascent) -> None:
        """Set the first step."""
        ascent.step = torch.full_like(ascent.step, 2 * self.ball.eps)

    def move(self, ascent: Ascent, gradient: Tensor, step: int) -> None:
        """Choose the next points of all samples."""
        if step in self.marks[1:]:
            gradient = self._review(ascent, gradient, step - self.marks[self.marks.index(step) - 1])
        length = column(ascent.step, gradient)
        ahead = self.ball.project(ascent.points + length * self.ball.steepest(gradient), ascent.clean)
        if step > 0:
            swing = _MOMENTUM * (ahead - ascent.points) + (1 - _MOMENTUM) * (ascent.points - ascent.previous)
            ahead = self.ball.project(ascent.points + swing, ascent.clean)
        ascent.previous, ascent.points = ascent.points, ahead

    def _review(self, ascent: Ascent, gradient: Tensor, since: int) -> Tensor:
        stuck = ~ascent.reduced & (ascent.marked_loss >= ascent.best_loss)
        halve = (ascent.rises < _ENOUGH * since) | stuck
        ascent.step = torch.where(halve, ascent.step / 2, ascent.step)
        back = column(halve, ascent.points)
        ascent.points = torch.where(back, ascent.best, ascent.points)
        ascent.previous = torch.where(back, ascent.best, ascent.previous)
        ascent.reduced, ascent.marked_loss = halve, ascent.best_loss
        ascent.rises = torch.zeros_like(ascent.rises)
        return torch.where(back, ascent.best_gradient, gradient)


def marks(steps: int) -> list[int]:
    """Where progress is reviewed: at shares 0, 0.22, ... of the steps, each gap 0.03 shorter, to 0.06."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    return sorted({math.ceil(share * steps) for share in shares if share <= 1})
