"""How float64 rounding acts in each op: the rules behind `lipcert.rules.forward_error`, where they are argued."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor
from torch.utils._pytree import tree_any, tree_map

from lipcert.errors import UnsupportedOperatorError
from lipcert.rounding import UNIT_ROUNDOFF, gamma, up

_TINY = 1e-300


@final
@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """A computed tensor and an elementwise bound on its distance from the exact one."""

    value: Tensor
    error: Tensor


Rule = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


def _part(tree: Any, name: str) -> Any:
    """`tree` with each pair replaced by its value or its error."""
    return tree_map(lambda leaf: getattr(leaf, name) if isinstance(leaf, Rounded) else leaf, tree)


def _error_of(argument: Any) -> Tensor | float:
    return argument.error if isinstance(argument, Rounded) else 0.0


def _value_of(argument: Any) -> Any:
    return argument.value if isinstance(argument, Rounded) else argument


def _size_of(argument: Any) -> Tensor:
    """|argument| in float64; torch would round a Python number to float32."""
    return torch.as_tensor(_value_of(argument), dtype=torch.float64).abs()


def _pairs(values: Any, errors: Any) -> Any:
    if isinstance(values, Tensor):
        return Rounded(values, errors)
    return [_pairs(v, e) for v, e in zip(values, errors, strict=True)]


def _moving(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Every output element is an input element, a constant, or the largest of some; errors do the same."""
    if kwargs.get("dtype") not in (None, torch.float64):
        raise UnsupportedOperatorError(f"no rounding rule for a cast ({target}, {kwargs})", operators=("_to_copy",))
    values = target(*_part(args, "value"), **kwargs)
    errors = target(*tree_map(_as_error, args), **kwargs)
    return _pairs(values, errors)


def _as_error(leaf: Any) -> Any:
    """A constant tensor among moved elements is exact; a mask or an index stays what it is."""
    if isinstance(leaf, Rounded):
        return leaf.error
    return torch.zeros_like(leaf) if isinstance(leaf, Tensor) and leaf.is_floating_point() else leaf


def _padding(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rounded:
    x, pad = args[:2]
    return Rounded(target(x.value, *args[1:], **kwargs), target(x.error, pad, 0.0))


def _keeping(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rounded:
    """An elementwise function of one live tensor with slope at most 1 that rounds nothing."""
    if tree_any(lambda leaf: isinstance(leaf, Rounded), (args[1:], kwargs)):
        raise UnsupportedOperatorError(f"no rounding rule for {target} of two live tensors", operators=(str(target),))
    return Rounded(target(*_part(args, "value"), **kwargs), args[0].error)


def _linear(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rounded:
    live = [leaf for leaf in args if isinstance(leaf, Rounded)]
    if len(live) != 1:
        raise UnsupportedOperatorError(
            f"no rounding rule for a product of two live tensors ({target})", operators=(str(target),)
        )
    slack = gamma(_terms(live[0].value, target, args) + 8)
    positive = {key: abs(value) if key in ("alpha", "beta") else value for key, value in kwargs.items()}
    bound = target(*tree_map(lambda leaf: _absolute(leaf, slack), args), **positive).abs()  # a divisor may be < 0
    value = target(*_part(args, "value"), **kwargs)
    return Rounded(value, bound * (slack * (1 + 8 * slack)) + _TINY)


def _terms(x: Tensor, target: Callable[..., Any], args: tuple[Any, ...]) -> int:
    """At most so many products are added up in one output: every live element of a sample enters it at most once."""
    if target is torch.ops.aten.convolution.default:
        weight, transposed = args[1], args[6]
        return int(weight.numel()) // int(weight.shape[1 if transposed else 0])
    return math.prod(x.shape[1:])


def _absolute(leaf: Any, slack: float) -> Any:
    if isinstance(leaf, Rounded):
        return (leaf.value.abs() + leaf.error / slack) * (1 + 8 * UNIT_ROUNDOFF)
    return leaf.abs() if isinstance(leaf, Tensor) else leaf


def _normalising(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Batch norm by fixed statistics: y = a (x - mean) + b with a = weight / sqrt(var + eps), in <= 12 roundings."""
    x, weight, bias, mean, var, training, _, eps = args
    if training:
        raise UnsupportedOperatorError("batch norm uses the statistics of the batch", operators=("native_batch_norm",))
    shape = (1, -1, *[1] * (x.value.ndim - 2))
    scale = (1.0 if weight is None else weight.abs()) / torch.sqrt(var + eps)
    slack = gamma(16)
    reach = x.value.abs() + x.error / slack + mean.abs().reshape(shape)
    bound = scale.reshape(shape) * reach + (0.0 if bias is None else bias.abs().reshape(shape))
    values = target(*_part(args, "value"), **kwargs)
    return [Rounded(values[0], bound * (slack * (1 + 8 * slack) * (1 + gamma(16))) + _TINY), *values[1:]]


def _rounding_once(value: Tensor, inherited: Tensor | float) -> Rounded:
    return Rounded(value, (inherited + 2 * UNIT_ROUNDOFF * value.abs()) * (1 + 16 * UNIT_ROUNDOFF) + _TINY)


def _adding(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rounded:
    factor = abs(kwargs.get("alpha", 1))
    value = target(*_part(args, "value"), **kwargs)
    inherited = _error_of(args[0]) + _error_of(args[1]) * factor
    if factor != 1:
        inherited = inherited + 2 * UNIT_ROUNDOFF * (_size_of(args[1]) * factor)
    return _rounding_once(value, inherited)


def _multiplying(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rounded:
    a, b = (_size_of(argument) for argument in args[:2])
    e, f = (_error_of(argument) for argument in args[:2])
    return _rounding_once(target(*_part(args, "value"), **kwargs), a * f + b * e + e * f)


def _dividing(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rounded:
    if isinstance(args[1], Rounded):
        raise UnsupportedOperatorError(
            "no rounding rule for a division by a live tensor", operators=("div",), hint="Nothing bounds the divisor."
        )
    if kwargs.get("rounding_mode") is not None:
        raise UnsupportedOperatorError("no rounding rule for a quotient made whole: it jumps", operators=("div",))
    return _rounding_once(target(*_part(args, "value"), **kwargs), args[0].error / _size_of(args[1]))


def _activation(
    slope: Callable[[tuple[Any, ...]], float | Tensor], bias: Callable[[tuple[Any, ...]], float] = lambda _: 0.0
) -> Rule:
    """A function with Lipschitz constant `slope(args)`, evaluated by the library up to rounding and `bias(args)`."""

    def rule(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = target(*_part(args, "value"), **kwargs)
        value = result if isinstance(result, Tensor) else result[0]
        own = 64 * UNIT_ROUNDOFF * (1 + args[0].value.abs() + value.abs()) + bias(args)
        error = (args[0].error * slope(args) + own) * (1 + 16 * UNIT_ROUNDOFF) + _TINY
        return Rounded(value, error) if isinstance(result, Tensor) else [Rounded(value, error), result[1]]

    return rule


def _constant(slope: float) -> Rule:
    return _activation(lambda _: slope)


def _steeper(args: tuple[Any, ...]) -> float | Tensor:
    """Of a leaky or parametric relu: the larger of 1 and the slope on the negative side."""
    slope = args[1] if len(args) > 1 else 0.01
    return slope.abs().clamp_min(1.0) if isinstance(slope, Tensor) else max(1.0, abs(float(slope)))


def _elu_slope(args: tuple[Any, ...]) -> float:
    """Of scale * (x if x > 0 else alpha (exp(input_scale x) - 1)), whose slopes are largest at 0."""
    alpha, scale, input_scale = (float(number) for number in (*args[1:4], *(1.0, 1.0, 1.0)[len(args) - 1 :]))
    return up(up(abs(scale)) * max(1.0, up(up(abs(alpha)) * abs(input_scale))))


def _softplus_bias(args: tuple[Any, ...]) -> float:
    """Above x = threshold / beta the library returns x, short of softplus by less than exp(-threshold) / |beta|."""
    beta, threshold = (float(number) for number in (*args[1:3], *(1.0, 20.0)[len(args) - 1 :]))
    return up(up(math.exp(-threshold)) / abs(beta))


_MOVING = """
    view _unsafe_view reshape flatten permute transpose t unsqueeze squeeze expand slice select clone alias detach
    cat stack split split_with_sizes unbind chunk index_select index gather flip roll repeat _to_copy
    pixel_shuffle pixel_unshuffle max_pool2d_with_indices max_pool2d max_pool1d max_pool3d max_pool3d_with_indices
    amax maximum upsample_nearest2d lift_fresh_copy
"""
_LINEAR = """
    convolution addmm mm linear matmul bmm avg_pool2d avg_pool1d avg_pool3d _adaptive_avg_pool2d mean sum
"""
_SLOPES = {
    "sigmoid": 0.25,
    "tanh": 1.0,
    "gelu": 1.1291,
    "silu": 1.1,
    "hardsigmoid": 0.17,
    "hardswish": 1.5,
    "mish": 1.09,
    "log_sigmoid_forward": 1.0,
}

RULES: dict[str, Rule] = {
    **dict.fromkeys(_MOVING.split(), _moving),
    **dict.fromkeys(_LINEAR.split(), _linear),
    **dict.fromkeys(("relu", "hardtanh", "relu6", "clamp", "clamp_min", "clamp_max", "abs", "neg"), _keeping),
    **{name: _constant(slope) for name, slope in _SLOPES.items()},
    "leaky_relu": _activation(_steeper),
    "_prelu_kernel": _activation(_steeper),
    "elu": _activation(_elu_slope),
    "celu": _constant(1.0),
    "softplus": _activation(lambda _: 1.0, _softplus_bias),
    "native_batch_norm": _normalising,
    "constant_pad_nd": _padding,
    "add": _adding,
    "sub": _adding,
    "mul": _multiplying,
    "div": _dividing,
}
