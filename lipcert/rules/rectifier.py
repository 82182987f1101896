"""The triangle around ReLU."""

from __future__ import annotations

import torch

from lipcert.rules.interval import Interval
from lipcert.rules.relaxation import Elementwise


def relu_relaxation(x: Interval) -> Elementwise:
    """0 and x below, the chord above; any slope in [0, 1] through the origin is a lower bound where 0 is inside.

    For l < 0 < u: max(x, 0) <= u / (u - l) (x - l). The chord is raised by its own roundings: with s = fl(u / (u - l))
    taken up, s (x - l) >= max(x, 0) at both ends for every s >= u / (u - l), hence everywhere by convexity. The lower
    slope chosen is 1 where u > -l, else 0. A crossed interval (lower > upper, from contradictory splits) counts as
    stable.
    """
    low, high = x.lower.clamp_max(0.0), x.upper.clamp_min(0.0)
    unstable = (x.lower < 0.0) & (x.upper > 0.0)
    active = (x.lower >= 0.0).to(low.dtype)
    chord = torch.where(unstable, high / (high - low).clamp_min(1e-300) * (1 + 2.0**-50), active)
    lower = torch.where(unstable, (high > -low).to(low.dtype), active)
    unsure = unstable.to(low.dtype)
    steepest = torch.maximum(active, unsure)  # of all slopes that `pull` may use, the chord's among them
    return Elementwise(
        lower_slope=lower,
        upper_slope=chord,
        upper_offset=-low * chord * unsure,
        slack=2.0**-50 * x.magnitude * steepest + 1e-300,
        slope_range=(active, steepest),
    )
