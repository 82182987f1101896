"""Where an entry of a resized axis lies in the old one, and which entries it is mixed from."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

TRANSFORMATIONS = (
    "asymmetric",
    "align_corners",
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "tf_crop_and_resize",
)


def coordinates(transformation: str, size: int, target: int, scale: float, bounds: tuple[float, float]) -> Tensor:
    """Places of `target` entries among `size`, in float64, under one of TRANSFORMATIONS.

    Source: ONNX operator Resize, attribute coordinate_transformation_mode.
    """
    entries, length = torch.arange(target, dtype=torch.float64), scale * size
    if transformation == "asymmetric":
        return entries / scale
    if transformation in ("align_corners", "tf_crop_and_resize"):
        start, end = bounds if transformation == "tf_crop_and_resize" else (0.0, 1.0)
        if length == 1:
            return torch.full_like(entries, (start + end) / 2 * (size - 1) if start or end != 1 else 0.0)
        return start * (size - 1) + entries * ((end - start) * (size - 1) / (length - 1))
    shift = size / 2 * (1 - target / length) if transformation == "half_pixel_symmetric" else 0.0
    if transformation == "pytorch_half_pixel" and length == 1:
        return torch.full_like(entries, -0.5)
    return (entries + 0.5) / scale - 0.5 + shift


def nearest_places(rounding: str, places: Tensor) -> Tensor:
    """Whole places next to `places`; halves go down or up as the rounding says."""
    whole: dict[str, Callable[[Tensor], Tensor]] = {
        "floor": torch.floor,
        "ceil": torch.ceil,
        "round_prefer_floor": lambda at: torch.ceil(at - 0.5),
        "round_prefer_ceil": lambda at: torch.floor(at + 0.5),
    }
    return whole[rounding](places).to(torch.int64)


def smooth_weights(places: Tensor, size: int, *, cubic: float | None, shrink: float, exclude_outside: bool) -> Tensor:
    """Weights of the old entries in each new one, shape (new, old), every row summing to one.

    places           of the new entries among the old
    cubic            the coefficient a of Keys' kernel; None for the triangle of linear interpolation
    shrink           the kernel is widened by 1 / shrink (antialiasing)
    exclude_outside  entries past an end weigh nothing, instead of repeating the last one

    Source: Keys, Cubic convolution interpolation for digital image processing (1981), eq. (15).
    """
    support = 1 if cubic is None else 2
    reach = math.ceil(support / shrink)
    steps = torch.arange(-reach, reach + 1)
    neighbours = torch.floor(places).to(torch.int64).reshape(-1, 1) + steps
    distance = (neighbours - places.reshape(-1, 1)).abs() * shrink
    weights = _triangle(distance) if cubic is None else _keys(distance, cubic)
    if exclude_outside:
        weights = torch.where((neighbours < 0) | (neighbours >= size), 0.0, weights)
    sums = weights.sum(1, keepdim=True)
    weights = weights / torch.where(sums == 0, 1.0, sums)
    empty = torch.zeros(places.numel(), size, dtype=torch.float64)
    return empty.scatter_add(1, neighbours.clamp(0, size - 1), weights)


def _triangle(distance: Tensor) -> Tensor:
    return torch.clamp(1 - distance, min=0)


def _keys(d: Tensor, a: float) -> Tensor:
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return torch.where(d <= 1, near, torch.where(d < 2, far, 0.0))
