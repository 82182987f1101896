"""Proposals for the linf ball: within a window every channel goes to one end of its interval."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import Ball
from lipcert.attacks.square.canvas import Canvas, place, window_sides


@final
class Signs:
    """Corners of the box that ball and input range leave: no arithmetic, so no point is ever outside.

    numbers  random numbers one proposal takes
    """

    def __init__(self, clean: Tensor, ball: Ball, canvas: Canvas) -> None:
        self._low = canvas.lay(ball.project(clean - ball.eps, clean))
        self._high = canvas.lay(ball.project(clean + ball.eps, clean))
        self.numbers = 2 + self._low.shape[1]

    def start(self, numbers: Tensor) -> Tensor:
        """Stripes: a random end for each channel and column."""
        return torch.where(numbers[:, :, :1] < 0.5, self._low, self._high)

    def propose(self, rows: Tensor, points: Tensor, share: float, numbers: Tensor) -> Tensor:
        """One window a picture. Where it would change nothing it goes to the other ends."""
        low, high = self._low[rows], self._high[rows]
        height, width = points.shape[2:]
        tall, wide = window_sides(height, width, share)
        inside = _span(place(numbers[:, 0], tall, height), tall, height)[:, None, :, None]
        inside = inside & _span(place(numbers[:, 1], wide, width), wide, width)[:, None, None, :]
        up = (numbers[:, 2:] < 0.5)[:, :, None, None]
        wanted = torch.where(inside, torch.where(up, high, low), points)
        idle = (wanted == points).flatten(1).all(dim=1)[:, None, None, None]
        return torch.where(inside & idle, torch.where(up, low, high), wanted)


def _span(first: Tensor, side: int, length: int) -> Tensor:
    """Which entries of an axis lie in each window, shape (N, length)."""
    position = torch.arange(length, device=first.device)
    return (position >= first[:, None]) & (position < first[:, None] + side)
