"""The set of inputs a certificate speaks of: a ball around each sample, cut to the input range.

Least values of a functional <a, x>, for x = c + d in the ball ||d||_p <= eps and the box lo <= x <= hi:

* the box alone, with centre m and radius r: <a, m> - <|a|, r>. All there is to a linf ball.
* the ball alone: <a, c> - eps ||a||_q, with q dual to p.
* l2 ball and box: for each t > 0 the minimum over d is at least sum_i min_{d_i} (a_i d_i + t/2 d_i^2) - t/2 eps^2, the
  inner minima taken over the box at d_i = clip(-a_i / t); bisection on ||d(t)|| = eps finds the best t, but any is
  sound. A rounded d_i misses its minimum by t/2 (3 u d_i)^2 at most, which disappears in the slack for the sums.

Sums of n terms are paid for with gamma_n times the sum of absolute values. The largest of the values is taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.windows import Windows
from lipcert.records import Norm
from lipcert.rounding import gamma
from lipcert.rules.interval import Interval, down, up
from lipcert.rules.relaxation import inner

_BISECTIONS = 14
_ROOT_OF_LEAST = 2.0**-510


@final
@dataclass(frozen=True, eq=False)
class Region:
    """Points within eps of a clean sample in `norm`, and inside the input range where one is known.

    centre       (N, *input_shape), float64
    norm         of the ball
    eps          (N,), float64, >= 0; for linf also (N, *input_shape), a radius of each value's own
    input_range  (low, high) of all values. A clean value outside may stay where it is but goes no further out, as in
                 the balls that attacks search.
    """

    centre: Tensor
    norm: Norm
    eps: Tensor
    input_range: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.centre)

    def __getitem__(self, samples: Tensor | slice) -> Region:
        """The region of some of the samples."""
        return Region(self.centre[samples], self.norm, self.eps[samples], self.input_range)

    def interval(self) -> Interval:
        """The smallest box around each sample's region but for outward rounding."""
        return self._box

    def lower(self, rows: Tensor | Windows, *, tight: bool = True) -> Tensor:
        """At most min <row, x> over the region, shape (N, S).

        rows   (N or 1, S, *input_shape), or windows of it
        tight  whether the costlier joint bound of an l2 ball and the box is worth it
        """
        rows = rows.cleaned(self.centre.shape[2:]) if isinstance(rows, Windows) else rows
        value = self._over_box(rows) if self.norm == "linf" or self.input_range is not None else None
        if self.norm != "linf":
            ball = self._over_ball(rows)
            value = ball if value is None else torch.maximum(value, ball)
            if tight and self.norm == "l2" and self.input_range is not None and isinstance(rows, Tensor):
                value = torch.maximum(value, self._over_both(rows.flatten(2)))
        assert value is not None
        return value

    @cached_property
    def _box(self) -> Interval:
        eps = self._eps_of(self.centre)
        box = Interval(down(self.centre - eps), up(self.centre + eps))
        if self.input_range is None:
            return box
        low, high = self.input_range
        return box.intersect(Interval(self.centre.clamp_max(low), self.centre.clamp_min(high)))

    @cached_property
    def _reach(self) -> tuple[Tensor, Tensor]:
        """Centre of the box, and its radius with the price of both sums."""
        centre, radius = self._box.centre, self._box.radius
        return centre, (radius + self._slack * (centre.abs() + radius)) * (1 + 2 * self._slack)

    @property
    def _slack(self) -> float:
        return gamma(math.prod(self.centre.shape[1:]) + 16)

    def _eps_of(self, like: Tensor) -> Tensor:
        return self.eps if self.eps.ndim == like.ndim else self.eps.reshape(-1, *[1] * (like.ndim - 1))

    def _over_box(self, rows: Tensor | Windows) -> Tensor:
        centre, reach = self._reach
        return _inner(rows, centre) - _weigh(rows, reach)

    def _over_ball(self, rows: Tensor | Windows) -> Tensor:
        flat = rows.values.flatten(2) if isinstance(rows, Windows) else rows.flatten(2)
        order = {"l2": 2.0, "l1": math.inf}[self.norm]
        # Entries whose squares underflow are missing from the norm.
        lost = _ROOT_OF_LEAST * math.sqrt(flat.shape[2])
        dual: Tensor = torch.linalg.vector_norm(flat, order, dim=2) * (1 + 2 * self._slack) + lost
        loss = _weigh(rows, 2 * self._slack * self.centre.abs())
        return _inner(rows, self.centre) - self.eps[:, None] * dual - loss

    def _over_both(self, flat: Tensor) -> Tensor:
        """The dual above for rows (N or 1, S, F)."""
        centre, eps = self.centre.flatten(1)[:, None], self.eps[:, None]
        low, high = down(self._box.lower.flatten(1)[:, None] - centre), up(self._box.upper.flatten(1)[:, None] - centre)
        size = torch.linalg.vector_norm(flat, dim=2)
        ends = [torch.zeros_like(size * eps), size / eps.clamp_min(1e-12)]
        start = (flat * centre).sum(2)
        best: Tensor | None = None
        spent = (flat * centre).abs().sum(2)
        for _ in range(_BISECTIONS):
            t = ((ends[0] + ends[1]) / 2 + 1e-12).detach()
            d = torch.minimum(torch.maximum(-flat / t[..., None], low), high)
            square = (d * d).sum(2)
            value = start + (flat * d).sum(2) + t / 2 * (square - eps * eps)
            value = value - 2 * self._slack * (spent + (flat * d).abs().sum(2) + t / 2 * (square + eps * eps))
            best = value if best is None else torch.maximum(best, value)
            long = square > eps * eps
            ends = [torch.where(long, t, ends[0]), torch.where(long, ends[1], t)]
        assert best is not None
        return best


def _inner(rows: Tensor | Windows, values: Tensor) -> Tensor:
    return rows.inner(values) if isinstance(rows, Windows) else inner(rows, values)


def _weigh(rows: Tensor | Windows, weights: Tensor) -> Tensor:
    return rows.weigh(weights) if isinstance(rows, Windows) else inner(rows.abs(), weights)
