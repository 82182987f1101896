"""Resizing by interpolation, axis by axis, each a constant matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, axis_of, entries, handler
from lipcert.load.onnx_ops.interpolation import TRANSFORMATIONS, coordinates, nearest_places, smooth_weights


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What happens to one axis: `size` entries become `target`, at `scale` entries for one.

    `start` and `end` bound the part that is taken, as fractions of the axis (only for tf_crop_and_resize).
    """

    axis: int
    size: int
    target: int
    scale: float
    start: float = 0.0
    end: float = 1.0

    @property
    def trivial(self) -> bool:
        """Whether the axis stays as it is."""
        return self.size == self.target and math.isclose(self.scale, 1.0) and (self.start, self.end) == (0.0, 1.0)


@handler("Resize")
def resize(context: NodeContext, x: Tensor, *_given: Tensor | None) -> Tensor:
    """The input interpolated to another size."""
    if context.version < 11:
        return upsample(context, x)
    for stretch in _stretches(context, x):
        if not stretch.trivial:
            x = _resized(context, x, stretch)
    return x


@handler("Upsample")
def upsample(context: NodeContext, x: Tensor, *_given: Tensor) -> Tensor:
    """The input interpolated with entry i of the result at i / scale, as all resizing was before operator set 11."""
    given = context.constant(1)
    if given is not None:
        scales = [float(scale) for scale in entries(given)]
    else:
        lateral = [context.get("height_scale", 1.0), context.get("width_scale", 1.0)]
        scales = list(context.get("scales", [1.0] * (x.ndim - 2) + lateral))
    for axis, scale in enumerate(scales):
        size = x.shape[axis]
        context.bounded([math.floor(n * scale) if i == axis else n for i, n in enumerate(x.shape)])
        stretch = Stretch(axis=axis, size=size, target=math.floor(size * scale), scale=scale)
        if not stretch.trivial:
            x = _resized(context, x, stretch)
    return x


def _stretches(context: NodeContext, x: Tensor) -> list[Stretch]:
    """One stretch an axis, from scales or sizes."""
    axes = [axis_of(x, axis) for axis in context.get("axes", list(range(x.ndim)))]
    before = [x.shape[axis] for axis in axes]
    scales, sizes, bounds = _floats(context, 2), context.integers(3), _floats(context, 1)
    if sizes:
        scales = [target / size for target, size in zip(sizes, before, strict=True)]
        policy = context.get("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            scales = [min(scales) if policy == "not_larger" else max(scales)] * len(axes)
            sizes = [int(size * scale + 0.5) for size, scale in zip(before, scales, strict=True)]
    else:
        sizes = [math.floor(size * scale) for size, scale in zip(before, scales, strict=True)]
    if context.get("coordinate_transformation_mode") != "tf_crop_and_resize":
        bounds = []
    bounds = bounds or [0.0] * len(axes) + [1.0] * len(axes)
    after = dict(zip(axes, sizes, strict=True))
    context.bounded([after.get(axis, size) for axis, size in enumerate(x.shape)])
    rows = zip(axes, before, sizes, scales, bounds[: len(axes)], bounds[len(axes) :], strict=True)
    return [
        Stretch(axis=axis, size=size, target=target, scale=scale, start=start, end=end)
        for axis, size, target, scale, start, end in rows
    ]


def _floats(context: NodeContext, position: int) -> list[float]:
    value = context.constant(position)
    return [] if value is None else [float(item) for item in entries(value)]


def _resized(context: NodeContext, x: Tensor, stretch: Stretch) -> Tensor:
    """The input with one axis resized."""
    legacy = context.op == "Upsample" or context.version < 11
    transformation = "asymmetric" if legacy else context.get("coordinate_transformation_mode", "half_pixel")
    if transformation not in TRANSFORMATIONS:
        raise context.unsupported(f"coordinate transformation {transformation!r}")
    places = coordinates(transformation, stretch.size, stretch.target, stretch.scale, (stretch.start, stretch.end))
    mode = context.get("mode", "nearest")
    if mode == "nearest":
        rounding = "floor" if legacy else context.get("nearest_mode", "round_prefer_floor")
        taken = nearest_places(rounding, places).clamp(0, stretch.size - 1)
        if not x.is_floating_point():
            return x.index_select(stretch.axis, taken)
        weights = (taken.reshape(-1, 1) == torch.arange(stretch.size)).to(torch.float64)
    elif x.is_floating_point() and mode in ("linear", "bilinear", "cubic"):
        weights = smooth_weights(
            places,
            stretch.size,
            cubic=context.get("cubic_coeff_a", -0.75) if mode == "cubic" else None,
            shrink=min(stretch.scale, 1.0) if context.get("antialias") else 1.0,
            exclude_outside=bool(context.get("exclude_outside")),
        )
    else:
        raise context.unsupported(f"mode {mode!r} on {x.dtype}")
    outside = torch.zeros(stretch.target, dtype=torch.bool)
    if transformation == "tf_crop_and_resize":
        outside = (places < 0) | (places > stretch.size - 1)
    return _mixed(x, stretch.axis, weights, outside, context.get("extrapolation_value", 0.0))


def _mixed(x: Tensor, axis: int, weights: Tensor, outside: Tensor, value: float) -> Tensor:
    """Each entry along an axis replaced by a weighted sum of the axis; by `value` where it lies outside."""
    matrix = (weights * ~outside.reshape(-1, 1)).to(x.dtype)
    moved = torch.matmul(x.movedim(axis, -1), matrix.T)
    if value and any(entries(outside)):
        moved = moved + outside.to(x.dtype) * value
    return moved.movedim(-1, axis)
