"""Reading an image at places that are themselves computed."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, handler

_MODES = {
    "bilinear": "bilinear",
    "linear": "bilinear",
    "nearest": "nearest",
    "bicubic": "bicubic",
    "cubic": "bicubic",
}


@handler("GridSample")
def grid_sample(context: NodeContext, x: Tensor, grid: Tensor) -> Tensor:
    """The input interpolated at the places of a grid, which run from -1 to 1 across it."""
    mode = context.get("mode", "bilinear" if context.version < 20 else "linear")
    if mode not in _MODES or x.ndim not in (4, 5) or (x.ndim == 5 and _MODES[mode] == "bicubic"):
        raise context.unsupported(f"mode {mode!r} on an input of rank {x.ndim}")
    padding = context.get("padding_mode", "zeros")
    return F.grid_sample(x, grid, _MODES[mode], padding, align_corners=bool(context.get("align_corners", 0)))


@handler("AffineGrid")
def affine_grid(context: NodeContext, theta: Tensor, _size: Tensor) -> Tensor:
    """The grid that an affine map of each sample makes of the regular one."""
    size = context.integers(1) or []
    context.bounded(size)
    return F.affine_grid(theta, size, align_corners=bool(context.get("align_corners", 0)))
