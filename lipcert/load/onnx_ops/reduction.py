"""Sums, extremes and searches along axes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import Handler, NodeContext, Result, axis_of, handler

Reduce = Callable[[Tensor, list[int], bool], Tensor]


def _extreme(function: Callable[..., Tensor], *, largest: bool) -> Reduce:
    """A reduction whose value over nothing is the worst the type holds."""

    def reduce(x: Tensor, axes: list[int], keep: bool) -> Tensor:  # noqa: FBT001
        if x.numel():
            return (
                function(x.to(torch.uint8), axes, keep).to(torch.bool)
                if x.dtype == torch.bool
                else function(x, axes, keep)
            )
        kept = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
        shape = kept if keep else [size for axis, size in enumerate(x.shape) if axis not in axes]
        limits = torch.finfo(x.dtype) if x.is_floating_point() else torch.iinfo(x.dtype)
        worst = limits.min if largest else limits.max
        return torch.full(shape, worst * float("inf") if x.is_floating_point() else worst, dtype=x.dtype)

    return reduce


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:  # noqa: FBT001
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


def _sum(x: Tensor, axes: list[int], keep: bool) -> Tensor:  # noqa: FBT001
    return x.sum(axes, keepdim=keep, dtype=x.dtype)


def _log_sum_exp(x: Tensor, axes: list[int], keep: bool) -> Tensor:  # noqa: FBT001
    if x.is_floating_point():
        return torch.logsumexp(x, axes, keepdim=keep)
    return torch.logsumexp(x.to(torch.float64), axes, keepdim=keep).to(x.dtype)


def _unchanged(x: Tensor) -> Tensor:
    return x


_REDUCTIONS: dict[str, tuple[Reduce, Callable[[Tensor], Tensor]]] = {
    "ReduceL1": (lambda x, axes, keep: _sum(x.abs(), axes, keep), torch.abs),
    "ReduceL2": (lambda x, axes, keep: torch.sqrt(_sum(x * x, axes, keep)).to(x.dtype), torch.abs),
    "ReduceLogSum": (lambda x, axes, keep: torch.log(_sum(x, axes, keep)).to(x.dtype), torch.log),
    "ReduceLogSumExp": (_log_sum_exp, _unchanged),
    "ReduceMax": (_extreme(torch.amax, largest=True), _unchanged),
    "ReduceMean": (lambda x, axes, keep: x.mean(axes, keepdim=keep), _unchanged),
    "ReduceMin": (_extreme(torch.amin, largest=False), _unchanged),
    "ReduceProd": (_product, _unchanged),
    "ReduceSum": (_sum, _unchanged),
    "ReduceSumSquare": (lambda x, axes, keep: _sum(x * x, axes, keep), torch.square),
}


def _reduction(function: Reduce, of_one: Callable[[Tensor], Tensor]) -> Handler:
    """A handler of a reduction; `of_one` is what it does to single entries when no axis is to be reduced."""

    def handle(context: NodeContext, x: Tensor, _axes: Tensor | None = None) -> Tensor:
        axes = context.integers_or_attribute(1, "axes")
        if not axes:
            if context.get("noop_with_empty_axes"):
                return of_one(x)
            axes = list(range(x.ndim))
        return function(x, [axis_of(x, axis) for axis in axes], bool(context.get("keepdims", 1)))

    return handle


for _name, (_function, _of_one) in _REDUCTIONS.items():
    handler(_name)(_reduction(_function, _of_one))


def _search(function: Callable[..., Tensor]) -> Handler:
    """A handler that returns the place of an extreme, the first or the last one where there are several."""

    def handle(context: NodeContext, x: Tensor) -> Tensor:
        axis = axis_of(x, context.get("axis", 0))
        keep = bool(context.get("keepdims", 1))
        if context.get("select_last_index"):
            return x.shape[axis] - 1 - function(x.flip(axis), axis, keepdim=keep)
        return function(x, axis, keepdim=keep)

    return handle


handler("ArgMax")(_search(torch.argmax))
handler("ArgMin")(_search(torch.argmin))


@handler("TopK")
def top_k(context: NodeContext, x: Tensor, _k: Tensor | None = None) -> Result:
    """The k largest or smallest entries along an axis and their places, the earlier one where two are equal."""
    wanted = context.integers(1)
    count = wanted[0] if wanted else int(context.get("k"))
    axis = axis_of(x, context.get("axis", -1))
    values, places = torch.sort(x, dim=axis, descending=bool(context.get("largest", 1)), stable=True)
    return values.narrow(axis, 0, count), places.narrow(axis, 0, count)


def _cumulative(function: Callable[[Tensor, int], Tensor], neutral: int) -> Handler:
    """A handler of running sums or products, from either end, with or without the entry itself."""

    def handle(context: NodeContext, x: Tensor, _axis: Tensor) -> Tensor:
        axis = axis_of(x, int(context.number(1) or 0))
        backwards = bool(context.get("reverse"))
        x = x.flip(axis) if backwards else x
        y = function(x, axis).to(x.dtype)
        if context.get("exclusive"):
            first = torch.full([1 if i == axis else size for i, size in enumerate(x.shape)], neutral, dtype=x.dtype)
            y = torch.cat([first, y.narrow(axis, 0, x.shape[axis] - 1)], axis)
        return y.flip(axis) if backwards else y

    return handle


handler("CumSum")(_cumulative(torch.cumsum, 0))
handler("CumProd")(_cumulative(torch.cumprod, 1))
