"""Arithmetic, comparison and logic, entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor

from lipcert.load.onnx_ops.base import Handler, NodeContext, handler, pointwise

pointwise(
    Abs=torch.abs,
    Acos=torch.acos,
    Acosh=torch.acosh,
    Asin=torch.asin,
    Asinh=torch.asinh,
    Atan=torch.atan,
    Atanh=torch.atanh,
    BitwiseAnd=torch.bitwise_and,
    BitwiseNot=torch.bitwise_not,
    BitwiseOr=torch.bitwise_or,
    BitwiseXor=torch.bitwise_xor,
    Ceil=torch.ceil,
    Cos=torch.cos,
    Cosh=torch.cosh,
    Det=torch.linalg.det,
    Erf=torch.erf,
    Exp=torch.exp,
    Floor=torch.floor,
    IsNaN=torch.isnan,
    Log=torch.log,
    Neg=torch.neg,
    Not=torch.logical_not,
    Reciprocal=torch.reciprocal,
    Round=torch.round,
    Sign=torch.sign,
    Sin=torch.sin,
    Sinh=torch.sinh,
    Sqrt=torch.sqrt,
    Tan=torch.tan,
    Where=torch.where,
)


def _divide(dividend: Tensor, divisor: Tensor) -> Tensor:
    if dividend.is_floating_point():
        return torch.div(dividend, divisor)
    return torch.div(dividend, divisor, rounding_mode="trunc")


def _power(base: Tensor, exponent: Tensor) -> Tensor:
    if base.is_floating_point() and not exponent.is_floating_point():
        exponent = exponent.to(base.dtype)
    return torch.pow(base, exponent).to(base.dtype)


def _binary(function: Callable[..., Tensor]) -> Handler:
    """A handler of two operands. Before operator set 7 the second is aligned to the first at `axis`, not at the end."""

    def handle(context: NodeContext, first: Tensor, second: Tensor) -> Tensor:
        if context.version < 7 and context.get("broadcast") and context.get("axis") is not None:
            trailing = first.ndim - context.get("axis") % first.ndim - second.ndim
            second = second.reshape([*second.shape, *[1] * trailing])
        return function(first, second)

    return handle


_BINARY: dict[str, Callable[..., Tensor]] = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Div": _divide,
    "Pow": _power,
    "And": torch.logical_and,
    "Or": torch.logical_or,
    "Xor": torch.logical_xor,
    "Equal": torch.eq,
    "Greater": torch.gt,
    "GreaterOrEqual": torch.ge,
    "Less": torch.lt,
    "LessOrEqual": torch.le,
}
for _name, _function in _BINARY.items():
    handler(_name)(_binary(_function))


@handler("Mod")
def modulo(context: NodeContext, dividend: Tensor, divisor: Tensor) -> Tensor:
    """Remainder with the sign of the divisor, or of the dividend where `fmod` is set."""
    if context.get("fmod"):
        return torch.fmod(dividend, divisor)
    return torch.remainder(dividend, divisor)


@handler("Max")
def maximum(_context: NodeContext, *operands: Tensor) -> Tensor:
    """Largest entry among the operands."""
    return reduce(torch.maximum, operands)


@handler("Min")
def minimum(_context: NodeContext, *operands: Tensor) -> Tensor:
    """Smallest entry among the operands."""
    return reduce(torch.minimum, operands)


@handler("Sum")
def total(_context: NodeContext, *operands: Tensor) -> Tensor:
    """Sum of the operands."""
    return reduce(torch.add, operands)


@handler("Mean")
def mean(_context: NodeContext, *operands: Tensor) -> Tensor:
    """Mean of the operands."""
    return reduce(torch.add, operands) / len(operands)


@handler("Clip")
def clip(context: NodeContext, x: Tensor, lower: Tensor | None = None, upper: Tensor | None = None) -> Tensor:
    """The input held between two numbers; the upper wins where they cross."""
    if context.version < 11:
        return _clamp(x, context.get("min"), context.get("max"))
    if any(context.live[1:]):
        raised = x if lower is None else torch.maximum(x, lower)
        return raised if upper is None else torch.minimum(raised, upper)
    return _clamp(x, context.number(1), context.number(2))


def _clamp(x: Tensor, lower: float | None, upper: float | None) -> Tensor:
    return x if lower is None and upper is None else torch.clamp(x, lower, upper)


@handler("IsInf")
def is_infinite(context: NodeContext, x: Tensor) -> Tensor:
    """Whether an entry is infinite, of a sign the node asks about."""
    positive, negative = context.get("detect_positive", 1), context.get("detect_negative", 1)
    if positive and negative:
        return torch.isinf(x)
    if positive:
        return torch.isposinf(x)
    return torch.isneginf(x) if negative else torch.zeros(x.shape, dtype=torch.bool)


@handler("BitShift")
def shift_bits(context: NodeContext, x: Tensor, places: Tensor) -> Tensor:
    """The input shifted by a number of binary places."""
    left = context.get("direction") == "LEFT"
    wide = torch.bitwise_left_shift if left else torch.bitwise_right_shift
    return wide(x.to(torch.int64), places.to(torch.int64)).to(x.dtype)
