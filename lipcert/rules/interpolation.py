"""Upsampling by linear and cubic interpolation."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import SeparableOperator
from lipcert.rules.base import AbstractRule, Geometry, rule

_AXES = {"upsample_linear1d": 1, "upsample_bilinear2d": 2, "upsample_bicubic2d": 2, "upsample_trilinear3d": 3}


@final
@rule(*_AXES)
class Interpolation(AbstractRule):
    """A Kronecker product over the axes, each factor read off the op itself.

    Interpolation weights of an axis add up to 1, so feeding a unit vector along one axis and ones along the others
    shows one column of that axis' factor.
    """

    def operator(self, node: Node, /) -> SeparableOperator:
        """One factor for each spatial axis."""
        axes, shape = _AXES[node.op], node.inputs[0].shape
        factors = [_factor(node, shape[-axes:], axis) for axis in range(axes)]
        return SeparableOperator([*[None] * (len(shape) - axes), *factors], shape)

    def geometry(self, node: Node, /) -> Geometry:
        """Upsample 7x7->14x14."""
        axes = _AXES[node.op]
        sizes = ("x".join(map(str, shape[-axes:])) for shape in (node.inputs[0].shape, node.shape))
        return Geometry(description=f"upsample {'->'.join(sizes)}")


def _factor(node: Node, size: Any, axis: int) -> Tensor:
    """(out, in) matrix of one axis."""
    units = torch.eye(size[axis], dtype=torch.float64)
    shape = [1] * len(size)
    shape[axis] = size[axis]
    shown = node.run(units.reshape(size[axis], 1, *shape).expand(-1, -1, *size).contiguous())
    line = shown[:, 0].movedim(axis + 1, 1).reshape(size[axis], node.shape[axis - len(size)], -1)[..., 0]
    assert isinstance(line, Tensor)
    return line.T
