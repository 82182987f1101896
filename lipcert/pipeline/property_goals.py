"""A property as regions to bound and goals to show, in float64 that errs on the safe side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, final

import numpy as np
import torch
from torch import Tensor

from lipcert.bounds.branch.goal import Goals
from lipcert.bounds.region import Region
from lipcert.load.vnnlib import Case, Constraint, Property
from lipcert.rounding import down, sum_up, up
from lipcert.rules.interval import Interval

Alternative = tuple[Constraint, ...]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Boxes:
    """The boxes of a property's cases.

    low, high  (B, *input_shape) float32: the ends as the network reads them
    region     holds every number in the boxes, and what a network that reads float32 makes of it
    """

    low: Tensor
    high: Tensor
    region: Region


def read_boxes(
    found: Property, input_shape: tuple[int, ...], deploy_dtype: Literal["real", "float32", "bfloat16"]
) -> Boxes:
    """The boxes, for samples of `input_shape`. Rounding to float32 is monotone, so rounded ends hold rounded values."""
    lows = torch.tensor([[_outward(x, -1) for x in case.lower] for case in found.cases], dtype=torch.float64)
    highs = torch.tensor([[_outward(x, 1) for x in case.upper] for case in found.cases], dtype=torch.float64)
    low = torch.tensor([[float(x) for x in case.lower] for case in found.cases], dtype=torch.float64).float()
    high = torch.tensor([[float(x) for x in case.upper] for case in found.cases], dtype=torch.float64).float()
    if deploy_dtype != "real":
        # The outward neighbours in float64 settle ties that float64 itself has made.
        lows = torch.minimum(lows, torch.minimum(low, lows.float()).double())
        highs = torch.maximum(highs, torch.maximum(high, highs.float()).double())
    box = Interval(lows.reshape(-1, *input_shape), highs.reshape(-1, *input_shape))
    return Boxes(
        low=low.reshape(-1, *input_shape),
        high=high.reshape(-1, *input_shape),
        region=Region(box.centre, "linf", box.radius),
    )


def _outward(value: Fraction, side: int) -> float:
    """The value, or the next float64 on that side of it where it is none."""
    near = float(value)
    if Fraction(near) == value:
        return near
    return math.nextafter(near, side * math.inf)


def property_goals(found: Property, outputs: Tensor) -> Goals:
    """One goal for each alternative of each case.

    A constraint <a, y> <= b becomes the row a and the offset -b: the point falsifies the goal where <a, y> - b <= 0
    in all constraints. Where a or b is no float64, the offset is lowered by what their rounding can amount to.

    outputs  (B, outputs) the largest |y| in each box, by interval bounds
    """
    pairs = [(i, alternative) for i, case in enumerate(found.cases) for alternative in case.alternatives]
    longest = max((len(alternative) for _, alternative in pairs), default=1) or 1
    rows = torch.zeros(len(pairs), longest, found.outputs, dtype=torch.float64)
    offset = torch.full((len(pairs), longest), -1.0, dtype=torch.float64)  # an empty alternative: any point will do
    sizes = outputs.tolist()
    for goal, (box, alternative) in enumerate(pairs):
        for k in range(longest if alternative else 0):
            constraint = alternative[min(k, len(alternative) - 1)]
            for index, value in constraint.coefficients:
                rows[goal, k, index] = float(value)
            offset[goal, k] = _offset(constraint, sizes[box])
    region = torch.tensor([box for box, _ in pairs], dtype=torch.int64)
    return Goals(region=region, group=torch.zeros_like(region), rows=rows, offset=offset)


def _offset(constraint: Constraint, sizes: Sequence[float]) -> float:
    lost = [
        up(up(float(abs(value - Fraction(float(value))))) * sizes[index])
        for index, value in constraint.coefficients
        if value != Fraction(float(value))
    ]
    offset = _outward(-constraint.bound, -1)
    return down(offset - sum_up(lost)) if lost else offset


def meets(case: Case, outputs: Tensor) -> bool:
    """Whether these float32 outputs, (outputs,), are what a case looks for, in exact arithmetic."""
    values = outputs.tolist()
    return all(map(math.isfinite, values)) and case.violated_by([Fraction(value) for value in values])


def stated(point: Tensor, case: Case) -> tuple[float, ...]:
    """Numbers inside the box that a network reads as this float32 point.

    A coordinate whose float32 lies outside, for the box's end is no float32, is given as that end.
    """
    flat = [float(value) for value in point.flatten().tolist()]
    return tuple(
        value if low <= Fraction(value) <= high else _inside(low if Fraction(value) < low else high, low, high)
        for value, low, high in zip(flat, case.lower, case.upper, strict=True)
    )


def _inside(end: Fraction, low: Fraction, high: Fraction) -> float:
    """The float64 nearest to an end, on the inner side where there is one."""
    near = float(end)
    inner = [
        x for x in (near, math.nextafter(near, -math.inf), math.nextafter(near, math.inf)) if low <= Fraction(x) <= high
    ]
    same = [x for x in inner if np.float32(x) == np.float32(near)]
    return (same or [near])[0]
