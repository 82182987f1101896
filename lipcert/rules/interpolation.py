"""Upsampling by linear and cubic interpolation."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import SeparableOperator
from lipcert.rules.base import AbstractRule, Geometry, rule
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval

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

    def rounding(
        self, node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment, /
    ) -> Tensor | float:
        """Of the sum, and of the weights, which follow from rounded places.

        A place among n errs by at most 5 u (n + 1): a rounded ratio of sizes, a product, two sums. The interpolated
        value moves by at most 2 max |x| a place where it is linear; by 6 where it is cubic, times 1.4 for the weights
        of the other axis, whose absolute values add up to less. Weights themselves are made in few operations.
        """
        own = super().rounding(node, inputs, output, deployment)
        if not deployment.store:
            return own
        steepness = 9.0 if "cubic" in node.op else 2.0
        places = sum(5.0 * (n + 1) + 16.0 for n in node.inputs[0].shape[-_AXES[node.op] :])
        reach = inputs[0].magnitude.flatten(1).amax(1).reshape(-1, *[1] * (output.lower.ndim - 1))
        return own + steepness * places * deployment.accumulate * (1 + 2.0**-20) * reach

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
