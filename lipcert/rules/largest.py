"""The largest of some entries: max pooling, maxima along axes, and the larger of two branches.

Each output is z = max_i x_i over a window. With L = max_i l_i, attained at m:

* below, z >= x_m;
* above, z <= L + sum_i (x_i - L)+ = x_m + sum_{i != m} (x_i - L)+, and (x_i - L)+ <= w_i (x_i - l_i) with
  w_i = (u_i - L)+ / (u_i - l_i), by convexity. With one challenger (u_i > L) this is the plane through three corners;
  where the constant max_i u_i is lower at the centre of the box, it is taken instead.

w_i is rounded up, which keeps the inequality at both ends of [l_i, u_i] and so between them. A minimum is the negative
of the largest negative.

Source: the constant plane is that of Singh, Gehr, Pueschel, Vechev, POPL 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import torch
from torch import Size, Tensor

from lipcert.rounding import gamma
from lipcert.rules.interval import Interval
from lipcert.rules.relaxation import AbstractRelaxation, Pulled, inner

_UP = 1.0 + 2.0**-50
_TINY = 1e-300
Step = tuple[int, int, int, int]


@final
@dataclass(frozen=True, eq=False)
class Windows:
    """Which entries compete for each output.

    places  (outputs, at most K): entries of the inputs, flattened and numbered on through all of them; -1 for none
    sizes   entries of one sample of each input
    shape   entries of one sample of the output
    slide   kernel, stride, padding and dilation of each axis, where windows slide over the map of each channel
    """

    places: Tensor
    sizes: tuple[Size, ...]
    shape: Size
    slide: tuple[Step, ...] | None = None

    def on(self, device: torch.device) -> Windows:
        """The same where the values are."""
        return self if self.places.device == device else replace(self, places=self.places.to(device))

    @cached_property
    def absent(self) -> Tensor:
        """Where a window is cut short."""
        return self.places < 0

    @cached_property
    def overlap(self) -> int:
        """The largest number of windows over one entry."""
        counts = torch.bincount(self.places[~self.absent].flatten())
        return int(counts.max()) if counts.numel() else 0

    def spread(self, values: Sequence[Tensor]) -> Tensor:
        """Each window's entries, (N, outputs, K); -inf for none."""
        flat = torch.cat([value.flatten(1) for value in values], 1)
        found = flat[:, self.places.clamp_min(0)]
        return found.masked_fill(self.absent, -torch.inf)


def largest_interval(windows: Windows, inputs: Sequence[Interval], *, smallest: bool = False) -> Interval:
    """The extremes of the ends: exact."""
    windows = windows.on(inputs[0].lower.device)
    inputs = [_negative(x) for x in inputs] if smallest else inputs
    lower = windows.spread([x.lower for x in inputs]).amax(2)
    upper = windows.spread([x.upper for x in inputs]).amax(2)
    box = Interval(lower, upper).reshape(windows.shape)
    return _negative(box) if smallest else box


def _negative(x: Interval) -> Interval:
    return Interval(-x.upper, -x.lower)


def largest_relaxation(windows: Windows, inputs: Sequence[Interval], *, smallest: bool = False) -> Largest:
    """The planes above, for inputs in the intervals."""
    windows = windows.on(inputs[0].lower.device)
    inputs = [_negative(x) for x in inputs] if smallest else inputs
    lower, upper = (windows.spread([getattr(x, end) for x in inputs]) for end in ("lower", "upper"))
    best, leader = lower.max(2, keepdim=True)
    weights = _UP * (upper - best).clamp_min(0.0) / (upper - lower).clamp_min(_TINY)
    weights = weights.masked_fill(windows.absent, 0.0).scatter(2, leader, 0.0)
    rivals = weights > 0
    contested = _contested(windows, rivals.scatter(2, leader, rivals.any(2, keepdim=True)))
    floor = lower.masked_fill(windows.absent, 0.0)
    ceiling = upper.masked_fill(windows.absent, 0.0)
    raised = (weights * 0.5 * (ceiling - floor)).sum(2) + 0.5 * (floor + ceiling).gather(2, leader).squeeze(2)
    constant = upper.amax(2)
    sloped = raised < constant
    weights = weights.scatter(2, leader, 1.0) * sloped[..., None]
    terms = weights * floor
    shift = -(terms.sum(2) - terms.gather(2, leader).squeeze(2))
    shift = shift + 2.0**-48 * terms.abs().sum(2) * windows.places.shape[1]
    kept = max(1, int((weights > 0).sum(2).max()))
    weights, order = weights.topk(kept, 2)
    places = windows.places.clamp_min(0)
    reach = torch.maximum(floor.abs(), ceiling.abs())
    size = reach.gather(2, leader).squeeze(2) + (weights * reach.gather(2, order)).sum(2)
    return Largest(
        windows=windows,
        leader=_taken(places, leader).squeeze(2),
        places=_taken(places, order),
        weights=weights,
        taps=(leader, order),
        shift=torch.where(sloped, shift, constant),
        slack=(gamma((kept + 1) * windows.overlap + 8) * size).reshape(-1, *windows.shape),
        contested=contested,
        sign=-1.0 if smallest else 1.0,
    )


def _contested(windows: Windows, rivals: Tensor) -> tuple[Tensor, ...]:
    """Where each entry stands in a window that it may win against others, (N, *entries) for each input."""
    total = sum(size.numel() for size in windows.sizes)
    places = windows.places.clamp_min(0).flatten().expand(len(rivals), -1)
    found = torch.zeros(len(rivals), total, dtype=torch.uint8, device=rivals.device)
    found = found.scatter_reduce(1, places, rivals.flatten(1).to(torch.uint8), "amax")
    parts = torch.split(found > 0, [size.numel() for size in windows.sizes], 1)
    return tuple(part.unflatten(1, size) for part, size in zip(parts, windows.sizes, strict=True))


def _taken(places: Tensor, order: Tensor) -> Tensor:
    """Entries by their positions in each window: (outputs, K), (N, outputs, T) -> (N, outputs, T)."""
    return places.expand(len(order), *places.shape).gather(2, order)


@final
@dataclass(frozen=True, eq=False)
class Largest(AbstractRelaxation):
    """x_leader <= sign z <= sum_t weights_t x_places_t + shift, where x is the sign times the inputs.

    leader, shift    (N, outputs)
    places, weights  (N, outputs, T)
    taps             which entry of its window the leader is, and each of the places: (N, outputs, 1), (N, outputs, T)
    contested        (N, *entries) for each input: what may be the largest of a window in which others may be so too;
                     tighter intervals of anything else would change nothing
    """

    windows: Windows
    leader: Tensor
    places: Tensor
    weights: Tensor
    taps: tuple[Tensor, Tensor]
    shift: Tensor
    slack: Tensor
    contested: tuple[Tensor, ...]
    sign: float = 1.0

    @property
    def offset_size(self) -> Tensor:
        """The upper planes'."""
        return self.shift.abs().reshape(-1, *self.windows.shape)

    @cached_property
    def by_tap(self) -> tuple[Tensor, Tensor]:
        """The lower and the upper plane's coefficient of each entry of a window, (N, K, *output)."""
        blank = self.weights.new_zeros(len(self.leader), *self.windows.places.shape)
        leader, order = self.taps
        planes = blank.scatter(2, leader, 1.0), blank.scatter(2, order, self.weights)
        below, above = (plane.mT.unflatten(2, self.windows.shape) for plane in planes)
        return below, above

    def pull(self, rows: Tensor, slopes: Tensor | None = None) -> Pulled:
        """Positive coefficients go to the leader, negative ones to the upper plane."""
        samples, many = max(len(rows), len(self.leader)), rows.shape[1]
        flat = self.sign * rows.flatten(2).expand(samples, -1, -1)
        positive, negative = flat.clamp_min(0.0), flat.clamp_max(0.0)
        total = sum(size.numel() for size in self.windows.sizes)
        pulled = torch.zeros(samples, many, total, dtype=rows.dtype, device=rows.device)
        pulled.scatter_add_(2, self.leader.unsqueeze(1).expand(samples, many, -1), positive)
        for places, weights in zip(self.places.unbind(2), self.weights.unbind(2), strict=True):
            pulled.scatter_add_(2, places.unsqueeze(1).expand(samples, many, -1), negative * weights.unsqueeze(1))
        parts = torch.split(self.sign * pulled, [size.numel() for size in self.windows.sizes], 2)
        shaped = tuple(part.unflatten(2, size) for part, size in zip(parts, self.windows.sizes, strict=True))
        return shaped, inner(negative, self.shift)
