"""Proposals for the l2 and l1 balls: what one window carries of the perturbation moves into another."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import Ball
from lipcert.attacks.square.canvas import Canvas, place, window_sides

_SIDES = 5
_LEAST = 3
_INWARD = 1 - 1e-6


@final
class Masses:
    """Perturbations whose norm is spent in bumps with a bright and a dark half.

    A window gives up its share of the budget to another one, which gets a bump of random sign added to the direction
    it has; what clipping to the input range leaves unspent is spread over the channels again.

    numbers  random numbers one proposal takes
    """

    def __init__(self, clean: Tensor, ball: Ball, canvas: Canvas) -> None:
        self._clean = canvas.lay(clean)
        self._power = 2 if ball.norm == "l2" else 1
        self._budget = (ball.eps * _INWARD) ** self._power
        low, high = ball.input_range or (-torch.inf, torch.inf)
        self._low, self._high = self._clean.clamp_max(low), self._clean.clamp_min(high)
        self.numbers = 5 + self._clean.shape[1]

    def start(self, numbers: Tensor) -> Tensor:
        """Bumps of random sign in a grid of tiles."""
        height, width = self._clean.shape[2:]
        tall, wide = max(1, height // _SIDES), max(1, width // _SIDES)
        bump = self._bump(tall, wide, upright=True)
        delta = torch.zeros_like(self._clean)
        for top in range(0, height - tall + 1, tall):
            for left in range(0, width - wide + 1, wide):
                sign = torch.where(numbers[:, :, top, left] < 0.5, -1.0, 1.0)[:, :, None, None]
                delta[:, :, top : top + tall, left : left + wide] = sign * bump
        size = delta.abs().pow(self._power).sum(dim=(1, 2, 3), keepdim=True)
        return self._clip(delta * (self._budget / size) ** (1 / self._power), slice(None))

    def propose(self, rows: Tensor, points: Tensor, share: float, numbers: Tensor) -> Tensor:
        """One pair of windows a picture."""
        delta = points - self._clean[rows]
        height, width = delta.shape[2:]
        tall, wide = window_sides(height, width, share)
        tall, wide = min(max(tall, _LEAST), height), min(max(wide, _LEAST), width)
        corners = [place(numbers[:, i], (tall, wide)[i % 2], (height, width)[i % 2]) for i in range(4)]
        taking = _window(delta, corners[0], corners[1], (tall, wide))
        giving = _window(delta, corners[2], corners[3], (tall, wide))
        before, held = self._mass(delta), delta[taking]
        delta[taking] = 0.0
        delta[giving] = 0.0
        freed = before - self._mass(delta)
        unused = (self._budget - before.sum(dim=1, keepdim=True)).clamp_min(0.0) / delta.shape[1]
        delta[taking] = self._direction(held, numbers[:, 4:]) * self._root(freed + unused)
        return self._clip(delta, rows)

    def _direction(self, held: Tensor, numbers: Tensor) -> Tensor:
        """What the window has, of norm 1, plus or minus a bump of norm 1, of norm 1 again."""
        upright, flat = (self._bump(*held.shape[2:], upright=way).to(held) for way in (True, False))
        bump = torch.where((numbers[:, 0] < 0.5)[:, None, None, None], upright, flat)
        sign = torch.where(numbers[:, 1:] < 0.5, -1.0, 1.0)[:, :, None, None].to(held)
        wanted = sign * bump + self._unit(held)
        return self._unit(wanted)

    def _bump(self, tall: int, wide: int, *, upright: bool) -> Tensor:
        shape = dipole(tall, wide) if upright else dipole(wide, tall).mT
        return shape / self._root(self._mass(shape[None, None]))[0, 0]

    def _unit(self, windows: Tensor) -> Tensor:
        return windows / self._root(self._mass(windows)).clamp_min(torch.finfo(windows.dtype).tiny)

    def _mass(self, pictures: Tensor) -> Tensor:
        """The norm to its power, of each channel, shape (N, channels)."""
        return pictures.abs().pow(self._power).sum(dim=(2, 3))

    def _root(self, mass: Tensor) -> Tensor:
        return mass.clamp_min(0.0).pow(1 / self._power)[:, :, None, None]

    def _clip(self, delta: Tensor, rows: Tensor | slice) -> Tensor:
        return (self._clean[rows] + delta).clamp(self._low[rows], self._high[rows])


def dipole(tall: int, wide: int) -> Tensor:
    """Two bumps of opposite sign, one above the other, shape (tall, wide); one bump where there is one row."""
    if tall == 1:
        return bump(1, wide)
    return torch.cat([bump(tall // 2, wide), -bump(tall - tall // 2, wide)])


def bump(tall: int, wide: int) -> Tensor:
    """Weights that grow from the rim inward: the ring k steps from the rim has sum over i <= k of (n + 1 - i)^-2."""
    rings = [torch.minimum(torch.arange(n), torch.arange(n).flip(0)) for n in (tall, wide)]
    depth = torch.minimum(rings[0][:, None], rings[1][None, :]) if min(tall, wide) > 1 else rings[0][:, None] + rings[1]
    deepest = int(depth.max())
    weights = torch.tensor([(deepest + 1 - i) ** -2.0 for i in range(deepest + 1)]).cumsum(0)
    return weights[depth]


def _window(like: Tensor, top: Tensor, left: Tensor, sides: tuple[int, int]) -> tuple[Tensor, ...]:
    """Indices of one window of each picture, all channels."""
    batch, channels = like.shape[:2]
    device = like.device
    rows = top[:, None] + torch.arange(sides[0], device=device)
    columns = left[:, None] + torch.arange(sides[1], device=device)
    which = torch.arange(batch, device=device)[:, None, None, None]
    return (
        which,
        torch.arange(channels, device=device)[:, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    )
