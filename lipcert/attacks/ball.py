"""The ball an attack searches, cut to the input range: distances, projections and directions in l1, l2 and linf."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.noise import Noise
from lipcert.records import Norm
from lipcert.rounding import gamma

_TINY = torch.finfo(torch.float64).tiny
_NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """Points within `eps` of a clean sample in `norm`, and inside the input range where one is known.

    A clean value outside the range may stay where it is but goes no further out: the box is the smallest one that
    holds the range and the clean sample. So the clean sample is always inside, and clipping moves no coordinate
    away from it: |clip(v) - x| <= |v - x| for x inside. Hence clipping after projecting stays in the ball, and
    one projection and one clip are enough. In l1 the projection is that onto ball and box together.
    """

    norm: Norm
    eps: float
    input_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.norm not in _NORMS:
            raise ValueError(f"attacks search balls in {', '.join(_NORMS)}, got {self.norm!r}")
        if not (math.isfinite(self.eps) and self.eps >= 0):
            raise ValueError(f"eps must be a finite number >= 0, got {self.eps}")

    def distance(self, points: Tensor, clean: Tensor) -> Tensor:
        """Distance of each point from its clean sample, shape (N,), float64, not below the true one in l1 and l2.

        The difference of two floats has one rounding, the l1 or l2 norm of D of them at most D + 2 more.
        """
        delta = (points.to(torch.float64) - clean.to(torch.float64)).flatten(1)
        if self.norm == "linf":
            return delta.abs().amax(dim=1)
        norm: Tensor = torch.linalg.vector_norm(delta, 1 if self.norm == "l1" else 2, dim=1)
        return norm * (1 + _slack(delta))

    def contains(self, points: Tensor, clean: Tensor) -> Tensor:
        """Whether each point is in the ball and in the box, in float64 arithmetic, shape (N,). NaN is outside."""
        inside = self.distance(points, clean) <= self.eps
        if self.input_range is not None:
            low, high = self._box(clean.to(torch.float64))
            values = points.to(torch.float64)
            inside &= ((values >= low) & (values <= high)).flatten(1).all(dim=1)
        return inside

    def project(self, points: Tensor, clean: Tensor, eps: Tensor | None = None) -> Tensor:
        """The nearest point of the ball, clipped to the box, as a tensor of `clean`'s dtype that is inside exactly.

        eps  a radius for each sample, shape (N,), float64, no larger than the ball's own; None for that

        The float64 result is rounded to the dtype; a coordinate that rounding took further from the clean sample
        moves one float back towards it, which undoes more than the rounding.
        """
        start = clean.to(torch.float64)
        radius = torch.full_like(start.flatten(1)[:, :1], self.eps) if eps is None else eps[:, None]
        delta = self._shrink((points.to(torch.float64) - start).flatten(1), start, radius).reshape(start.shape)
        wanted = start + delta
        if self.input_range is not None:
            wanted = wanted.clamp(*self._box(start))
        result = wanted.to(clean.dtype)
        allowed = torch.minimum(delta.abs(), (wanted - start).abs())
        too_far = (result.to(torch.float64) - start).abs() > allowed
        # Exact, as neighbouring floats differ by a float, and three times as fast as torch.where on such a mask.
        return result + (torch.nextafter(result, clean) - result) * too_far

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of norm 1 along which a linear function with this gradient rises fastest; 0 where it is 0."""
        if self.norm == "linf":
            return gradient.sign()
        flat = gradient.flatten(1)
        if self.norm == "l1":
            peak = flat.abs().argmax(dim=1, keepdim=True)
            return torch.zeros_like(flat).scatter(1, peak, flat.gather(1, peak).sign()).reshape(gradient.shape)
        tiny = torch.finfo(flat.dtype).tiny
        flat = flat / flat.abs().amax(dim=1, keepdim=True).clamp_min(tiny)
        length: Tensor = torch.linalg.vector_norm(flat, dim=1, keepdim=True).clamp_min(tiny)
        return (flat / length).reshape(gradient.shape)

    def furthest(self, gradient: Tensor, clean: Tensor) -> Tensor:
        """A point of ball and box where a linear function with this gradient is large; in l1 and linf, largest.

        In l1 the coordinates of steepest ascent are filled up to the box one after the other until eps is spent.
        """
        if self.norm != "l1" or self.input_range is None:
            return self.project(clean + self.eps * self.steepest(gradient), clean)
        flat = gradient.flatten(1).to(torch.float64)
        room = self.room(flat.sign(), clean.flatten(1).to(torch.float64))
        steep = (flat.abs() * (room > 0)).argsort(dim=1, descending=True, stable=True)
        room = (room * (flat != 0)).gather(1, steep)
        left = (self.eps - (room.cumsum(dim=1) - room)).clamp_min(0.0)
        length = torch.zeros_like(flat).scatter(1, steep, torch.minimum(room, left))
        return self.project(clean + (flat.sign() * length).reshape(clean.shape).to(clean.dtype), clean)

    def room(self, direction: Tensor, clean: Tensor) -> Tensor:
        """How far each coordinate can go from the clean sample before it leaves the box, by the sign of `direction`."""
        if self.input_range is None:
            return torch.full_like(clean, torch.inf)
        low, high = self._box(clean)
        return torch.where(direction > 0, high - clean, clean - low)

    def sample(self, clean: Tensor, noise: Noise, draw: int) -> Tensor:
        """Points drawn uniformly from the ball, projected and clipped."""
        if self.norm == "linf":
            return self.project(clean + self.eps * (2 * noise.uniform(clean, draw) - 1), clean)
        if self.norm == "l1":
            return self.project(clean + self.eps * _laplacian(noise.uniform(clean, draw)), clean)
        direction = self.steepest(noise.normal(clean, draw))
        radius = noise.uniform(clean.flatten(1)[:, :1], draw) ** (1 / clean[0].numel())
        return self.project(clean + self.eps * direction * radius.reshape(-1, *[1] * (clean.ndim - 1)), clean)

    def _shrink(self, delta: Tensor, start: Tensor, eps: Tensor) -> Tensor:
        """`delta`, shape (N, D), cut to the radii `eps`, shape (N, 1)."""
        if self.norm == "linf":
            return torch.minimum(torch.maximum(delta, -eps), eps)
        room = eps * (1 - 3 * _slack(delta))
        if self.norm == "l1":
            return shrink_l1(delta, self.room(delta, start.flatten(1)), room)
        lengths: Tensor = torch.linalg.vector_norm(delta, dim=1, keepdim=True).clamp_min(_TINY)
        return delta * (room / lengths).clamp_max(1.0)

    def _box(self, clean: Tensor) -> tuple[Tensor, Tensor]:
        assert self.input_range is not None
        low, high = self.input_range
        return clean.clamp_max(low), clean.clamp_min(high)


def shrink_l1(delta: Tensor, room: Tensor, eps: Tensor) -> Tensor:
    """The point nearest to `delta` in l2 among those of l1 norm <= eps whose coordinates keep within `room`.

    Coordinate i of it has size clamp(|delta_i| - t, 0, room_i) for one t >= 0, the least at which the sizes sum to
    eps or less. The sum is piecewise linear in t; its bends, at |delta_i| and |delta_i| - room_i, are sorted.

    delta, room  (N, D), float64; room may be infinite
    eps          (N, 1)

    Source: Croce & Hein, arXiv 2103.01208, Proposition 3.1.
    """
    size = torch.minimum(delta.abs(), room)
    outside = size.sum(dim=1) > eps[:, 0]
    if outside.any():
        size[outside] = _soften(delta[outside].abs(), room[outside], eps[outside])
    total = size.sum(dim=1, keepdim=True).clamp_min(_TINY)
    return delta.sign() * size * (eps / total).clamp_max(1.0)


def _soften(size: Tensor, room: Tensor, eps: Tensor) -> Tensor:
    bends = torch.cat([size, (size - room).clamp_min(0.0)], dim=1)
    bends, order = bends.sort(dim=1, descending=True)
    slopes = torch.where(order < size.shape[1], 1.0, -1.0).to(size.dtype).cumsum(dim=1)[:, :-1]
    sums = (slopes * (bends[:, :-1] - bends[:, 1:])).cumsum(dim=1)
    last = torch.searchsorted(sums, eps).clamp_max(sums.shape[1] - 1)
    excess = (sums.gather(1, last) - eps) / slopes.gather(1, last).clamp_min(1.0)
    threshold = bends.gather(1, last + 1) + excess
    return torch.minimum((size - threshold).clamp_min(0.0), room)


def _laplacian(uniform: Tensor) -> Tensor:
    """Directions of l1 norm below 1, uniform on the sphere, from uniform numbers in [0, 1)."""
    side = 2 * uniform - 1
    numbers = -side.sign() * torch.log1p(-side.abs().clamp_max(1 - 2.0**-24))
    flat = numbers.flatten(1)
    total = flat.abs().sum(dim=1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
    return (flat / total).reshape(uniform.shape)


def _slack(flat: Tensor) -> float:
    return gamma(flat.shape[1] + 4)
