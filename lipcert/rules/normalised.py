"""Bounds of n(x) = (x - mean) / sqrt(var + eps), weighted and shifted, over groups of numbers of one sample.

With d = x - mean and q = 1 / sqrt(mean d^2 + eps), both known in intervals from those of x, n = d q. Every |n_i| is at
most sqrt(n - 1): the sum of squares of d is n var, and d_i = -sum of the others, so n var >= d_i^2 (1 + 1 / (n - 1)).
Linear bounds replace q by its centre: n = q_c d give or take max |d| times the radius of q. Loose where the variance
may be small, and sound.

Rounding. With X = max |x| the mean errs by gamma_n X and the variance by 4 gamma_n X^2, whether it is formed from
differences or from raw moments. The relative error of the root is then at most r = 4 gamma_n X^2 / (var + eps) while
r <= 1/2; beyond that nothing is claimed, and the error is infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Size, Tensor

from lipcert.rounding import gamma
from lipcert.rules.curves import span
from lipcert.rules.curves.powers import power
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval
from lipcert.rules.linearised import Linearised
from lipcert.rules.products import product_interval

_SQUARE, _ROOT = power(2.0), power(-0.5)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What is normalised together.

    shape           entries of one sample, (groups, numbers in a group)
    entries         as the node has them
    weight, shift   (1, groups, numbers), float64
    eps             added to the variance
    """

    shape: tuple[int, int]
    entries: Size
    weight: Tensor
    shift: Tensor
    eps: float

    def split(self, values: Tensor) -> Tensor:
        """(N, *entries) to (N, groups, numbers)."""
        return values.reshape(len(values), *self.shape)

    def joined(self, values: Tensor) -> Tensor:
        """The other way round."""
        return values.reshape(len(values), *self.entries)


def _parts(groups: Groups, x: Interval) -> tuple[Interval, Interval]:
    """Intervals of d, (N, groups, numbers), and of q, (N, groups, 1)."""
    lower, upper = groups.split(x.lower), groups.split(x.upper)
    count = groups.shape[1]
    share = 1.0 / count
    slack = gamma(count + 16) * 2 * torch.maximum(lower.abs(), upper.abs()).amax(2, keepdim=True)
    low = (1 - share) * lower - share * (upper.sum(2, keepdim=True) - upper)
    high = (1 - share) * upper - share * (lower.sum(2, keepdim=True) - lower)
    d = Interval(low, high).widen(slack)
    squares = Interval(*span(_SQUARE, d.lower, d.upper))
    relative = gamma(count + 16)
    least = squares.lower.clamp_min(0.0).mean(2, keepdim=True) * (1 - relative) + groups.eps * (1 - relative)
    largest = squares.upper.mean(2, keepdim=True) * (1 + relative) + groups.eps * (1 + relative)
    return d, Interval(*span(_ROOT, least, largest))


def normalised_interval(groups: Groups, x: Interval) -> Interval:
    """D q, within sqrt(n - 1), weighted and shifted."""
    d, q = _parts(groups, x)
    box = product_interval(d, Interval(q.lower.expand_as(d.lower), q.upper.expand_as(d.lower)))
    reach = max(0, groups.shape[1] - 1) ** 0.5 * (1 + 2.0**-50)
    box = Interval(box.lower.clamp(-reach, reach), box.upper.clamp(-reach, reach))
    ends = torch.stack([box.lower * groups.weight, box.upper * groups.weight])
    size = ends.abs().amax(0) + groups.shift.abs()
    scaled = Interval(ends.amin(0) + groups.shift, ends.amax(0) + groups.shift).widen(gamma(8) * size)
    return Interval(groups.joined(scaled.lower), groups.joined(scaled.upper))


def normalised_relaxation(groups: Groups, x: Interval) -> Linearised:
    """Weight q_c (x - mean) + shift, give or take |weight| max |d| times the radius of q."""
    d, q = _parts(groups, x)
    scale = groups.weight * q.centre
    count = groups.shape[1]

    def adjoint(rows: Tensor) -> Tensor:
        weighed = rows.reshape(*rows.shape[:2], *groups.shape) * scale.unsqueeze(1)
        centred = weighed - weighed.mean(3, keepdim=True)
        return centred.reshape(*centred.shape[:2], *groups.entries)

    reach = groups.split(x.magnitude)
    slack = gamma(2 * count + 32) * scale.abs() * (reach + reach.amax(2, keepdim=True)) * 3
    radius = groups.weight.abs() * d.magnitude * q.radius * (1 + 2.0**-48)
    shift = groups.shift.expand(radius.shape)
    return Linearised((adjoint,), groups.joined(shift), groups.joined(radius), groups.joined(slack))


def normalised_rounding(groups: Groups, x: Interval, deployment: Deployment) -> Tensor | float:
    """As argued above, with the rounding of weights and shift."""
    if not deployment.store:
        return 0.0
    d, q = _parts(groups, x)
    loss = deployment.dot(groups.shape[1] + 8)
    reach = groups.split(x.magnitude).amax(2, keepdim=True)
    root = 4.0 * loss * reach.square() * q.upper.square() * (1 + 2.0**-40)
    root = torch.where(root <= 0.5, root, torch.inf)
    normal = d.magnitude * q.upper
    error = groups.weight.abs() * (2.0 * root * normal + 4.0 * loss * reach * q.upper + deployment.steps(8) * normal)
    return groups.joined(error + deployment.steps(4) * groups.shift.abs() + 2.0**-126)
