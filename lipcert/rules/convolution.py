"""Convolution and transposed convolution with a constant kernel."""

from __future__ import annotations

from typing import final

from torch import Tensor

from lipcert.graph import Node
from lipcert.operators import AbstractLinearOperator, AdjointOperator, BlockDiagonalOperator, ConvolutionOperator
from lipcert.records import Norm
from lipcert.rules.base import AbstractRule, Geometry, LinearNorms, UnboundedError, rule


@final
@rule("convolution")
class Convolution(AbstractRule):
    """`aten.convolution`: input, weight, bias, stride, padding, dilation, transposed, output_padding, groups."""

    def operator(self, node: Node, /) -> AbstractLinearOperator | None:
        """The convolution at the real input size, once for every image the batch of one has become."""
        live, weight = node.args[:2]
        if not isinstance(live, Node) or not isinstance(weight, Tensor):
            return None
        stride, padding, dilation = (_each(node.args[i], weight.ndim - 2) for i in (3, 4, 5))
        transposed, groups = bool(node.args[6]), int(node.args[8])
        small, large = live.shape[2:], node.shape[2:]
        size, outputs = (large, small) if transposed else (small, large)
        inner = ConvolutionOperator(
            weight,
            size,
            stride=stride,
            padding=[(p, p) for p in padding],
            dilation=dilation,
            groups=groups,
            outputs=outputs,
        )
        operator = AdjointOperator(inner) if transposed else inner
        return operator if live.shape[0] == 1 else BlockDiagonalOperator([operator] * live.shape[0])

    def geometry(self, node: Node, /) -> Geometry:
        """Conv 1->16 4x4 /2 p1 @28x28."""
        live, weight = node.args[:2]
        kernel = "x".join(map(str, weight.shape[2:]))
        stride, padding, dilation = (_each(node.args[i], weight.ndim - 2) for i in (3, 4, 5))
        transposed, groups = bool(node.args[6]), int(node.args[8])
        words = [
            "transposed conv" if transposed else "conv",
            f"{live.shape[1]}->{node.shape[1]} {kernel}",
            *(f"/{_short(stride)}" for _ in range(set(stride) != {1})),
            *(f"p{_short(padding)}" for _ in range(set(padding) != {0})),
            *(f"d{_short(dilation)}" for _ in range(set(dilation) != {1})),
            *(f"g{groups}" for _ in range(groups > 1)),
            f"@{'x'.join(map(str, live.shape[2:]))}",
        ]
        folded = node.raw.meta.get("batch_norm")
        return Geometry(
            description=" ".join(words) + (" + batch norm" if folded else ""),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            transposed=transposed,
        )

    def gain(self, node: Node, gains: tuple[float, ...], norm: Norm, norms: LinearNorms, /) -> float:
        """The norm of the convolution; its kernel and bias must be constants."""
        if len(node.inputs) != 1 or not isinstance(node.args[0], Node):
            raise UnboundedError(node, "its kernel or bias depends on the input")
        return super().gain(node, gains, norm, norms)


def _each(value: list[int], axes: int) -> tuple[int, ...]:
    """One number an axis; a single number stands for all."""
    return tuple(value) if len(value) == axes else tuple(value) * axes


def _short(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else "x".join(map(str, values))
