"""Matrix products."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import NodeContext, handler, pointwise

pointwise(MatMul=torch.matmul)


@handler("Gemm")
def gemm(context: NodeContext, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    """Alpha a b + beta c, the factors transposed on request; alpha goes to a constant factor so that one op is left."""
    a = a.T if context.get("transA") else a
    b = b.T if context.get("transB") else b
    alpha, beta = context.get("alpha", 1.0), context.get("beta", 1.0)
    if alpha != 1 and context.live[0] and not context.live[1]:
        b = b * alpha
    elif alpha != 1:
        a = a * alpha
    if c is None or beta == 0:
        return torch.mm(a, b)
    if beta != 1:
        c = c * beta
    if not a.is_floating_point() or (len(context.live) > 2 and context.live[2] and c.ndim > 1):
        return torch.mm(a, b) + c
    return torch.addmm(_bias(c, b.shape[1]), a, b)


def _bias(c: Tensor, columns: int) -> Tensor:
    """The addend as a vector where every row is given the same one."""
    same = c.ndim < 2 or c.shape[0] == 1
    return c.reshape(-1).expand(columns) if same and c.shape != (columns,) else c


@handler("Einsum")
def einsum(context: NodeContext, *operands: Tensor) -> Tensor:
    """A sum of products written as an equation."""
    return torch.einsum(context.get("equation").replace(" ", ""), *operands)
