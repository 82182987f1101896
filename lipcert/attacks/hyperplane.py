"""Projections on a hyperplane inside a box: the shortest way to the boundary of an affine classifier."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.records import Norm


def to_hyperplane(residual: Tensor, normal: Tensor, room: Tensor, norm: Norm) -> Tensor:
    """The shortest `d`, shape (N, D), with residual + <normal, d> = 0 and each |d_i| <= room_i.

    Where the box ends before the hyperplane, every coordinate goes to its end. Coordinate i moves against the sign of
    residual * normal_i only, so `room` is that on this side. Then |d_i| is min(t, room_i) in linf and
    min(t |normal_i|, room_i) in l2, for the one t that closes the gap, which is piecewise linear in t; in l1 the
    coordinates are filled one after the other, the steepest first.

    residual  (N,), the affine function at the point to be projected
    normal    (N, D), its gradient
    room      (N, D), not negative; may be infinite, for all coordinates or none

    Source: Croce & Hein, arXiv 1907.02044, equation 4 and its appendix; the conditions of optimality give the rest.
    """
    steep, need = normal.abs(), residual.abs()[:, None]
    direction = -residual.sign()[:, None] * normal.sign()
    if room.isinf().any():
        return direction * _unbounded(need, steep, norm)
    return direction * (_greedy(need, steep, room) if norm == "l1" else _level(need, steep, room, norm))


def _unbounded(need: Tensor, steep: Tensor, norm: Norm) -> Tensor:
    """Sizes where there is no box."""
    tiny = torch.finfo(steep.dtype).tiny
    if norm == "linf":
        return (need / steep.sum(dim=1, keepdim=True).clamp_min(tiny)).expand_as(steep)
    if norm == "l2":
        peak = steep.amax(dim=1, keepdim=True).clamp_min(tiny)
        share = steep / peak
        return need / peak * share / (share * share).sum(dim=1, keepdim=True).clamp_min(tiny)
    peak, at = steep.max(dim=1, keepdim=True)
    return torch.zeros_like(steep).scatter(1, at, need / peak.clamp_min(tiny))


def _level(need: Tensor, steep: Tensor, room: Tensor, norm: Norm) -> Tensor:
    """Sizes min(t * pace, room) for the t at which sum of steep * sizes is `need`, or for the largest worth having."""
    tiny = torch.finfo(steep.dtype).tiny
    pace = torch.ones_like(steep) if norm == "linf" else steep
    full, order = (room / pace.clamp_min(tiny)).sort(dim=1)
    gains = (steep * pace).gather(1, order)
    filled = (steep * room).gather(1, order).cumsum(dim=1)
    left = gains.sum(dim=1, keepdim=True) - gains.cumsum(dim=1)
    reached = filled + full.nan_to_num(posinf=0.0) * left
    first = torch.searchsorted(reached.contiguous(), need)
    before = (first - 1).clamp_min(0)
    done = torch.where(first > 0, filled.gather(1, before), 0.0)
    slope = torch.where(first > 0, left.gather(1, before), gains.sum(dim=1, keepdim=True))
    level = torch.where(first < steep.shape[1], (need - done) / slope.clamp_min(tiny), torch.inf)
    return torch.minimum((level * pace).nan_to_num(nan=0.0), room)


def _greedy(need: Tensor, steep: Tensor, room: Tensor) -> Tensor:
    """Sizes in l1: all the room of the steepest coordinates, and of the last one what is still missing."""
    slopes, order = steep.sort(dim=1, descending=True)
    room = room.gather(1, order)
    before = (slopes * room).cumsum(dim=1) - slopes * room
    missing = (need - before).clamp_min(0.0) / slopes.clamp_min(torch.finfo(steep.dtype).tiny)
    sizes = torch.minimum(missing, room) * (slopes > 0)
    return torch.zeros_like(steep).scatter(1, order, sizes)
