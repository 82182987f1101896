"""A weight scaled down until its certified norm is at most a given number."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lipcert.records import Enclosure

TOLERANCE = 1e-6
"""A capped layer's certified norm is at most beta (1 + TOLERANCE)."""

_ATTEMPTS = 8


def shrink(weight: Tensor, enclose: Callable[[Tensor], Enclosure], beta: float) -> tuple[Tensor, Enclosure]:
    """The weight times min(1, beta / s), s the certified upper end of its norm, and the enclosure of the result.

    A weight within the cap is returned as it is, bit by bit. Rounding to the weight's dtype may raise a norm by a few
    units in the last place; the next attempts aim that much lower.

    enclose  ends of the norm of the operator with a given weight, homogeneous in it

    Raises ValueError where the cap is out of reach, which takes a norm that is not a multiple of the weight's.
    """
    found = enclose(weight)
    result = weight
    for attempt in range(_ATTEMPTS):
        if found.upper is not None and found.upper <= beta * (1 + TOLERANCE):
            return result, found
        if found.upper is None:
            break
        aim = beta * (1 - attempt * torch.finfo(weight.dtype).eps)
        result = (result.to(torch.float64) * (aim / found.upper)).to(weight.dtype)
        found = enclose(result)
    raise ValueError(f"a norm of {found.upper} does not come down to {beta} by scaling the weight")
