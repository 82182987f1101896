"""Which composite ATen ops are taken apart at capture, and which stay whole because a rule knows them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._decomp import core_aten_decompositions

aten = torch.ops.aten

# Core ATen spells these out as exp, where and clamp; whole, each has one exact rule.
WHOLE = frozenset(
    "silu hardswish hardsigmoid _prelu_kernel celu softplus mish log_sigmoid_forward hardtanh leaky_relu "
    "native_group_norm _safe_softmax logsumexp".split()
)


def _convolution(x: Tensor, weight: Tensor, bias: Tensor | None, *settings: Any) -> Tensor:
    """`aten._convolution` carries four cudnn flags after `groups` that mean nothing here."""
    result: Tensor = aten.convolution(x, weight, bias, *settings[:6])
    return result


def _copy(target: Tensor, value: Tensor, non_blocking: bool = False) -> Tensor:  # noqa: ARG001, FBT001, FBT002
    """`aten.copy` has no derivative; a cast and a broadcast do."""
    return torch.broadcast_to(value.to(target.dtype), target.shape)


def _scalar(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The tensor form of an op with a Python number (torch wraps it), so that one rule serves both."""

    def call(x: Tensor, number: float, alpha: float = 1) -> Tensor:
        return function(x, number if alpha == 1 else number * alpha)

    return call


def capture_table() -> dict[Any, Callable[..., Any]]:
    """Decompositions for `make_fx`: core ATen, less `WHOLE`, plus the canonical forms above.

    A copy each time: `make_fx` adds entries of its own, and gathering the table anew takes longer than a capture.
    """
    return dict(_gathered())


@cache
def _gathered() -> dict[Any, Callable[..., Any]]:
    table: dict[Any, Callable[..., Any]] = {
        op: rule for op, rule in core_aten_decompositions().items() if str(op).split(".")[1] not in WHOLE
    }
    table[aten._convolution.default] = _convolution
    table[aten.copy.default] = _copy
    for name in ("add", "sub", "mul", "div"):
        table[getattr(aten, name).Scalar] = _scalar(getattr(torch, name))
    return table


def _pad_circular(x: Tensor, amounts: list[int]) -> Tensor:
    """The last axes continued around, by `amounts` (before, after) from the last axis on."""
    for turn, (before, after) in enumerate(zip(amounts[::2], amounts[1::2], strict=True)):
        axis = x.ndim - 1 - turn
        places = torch.arange(-before, x.shape[axis] + after) % x.shape[axis]
        x = x.index_select(axis, places)
    return x


@contextmanager
def pure_composites() -> Iterator[None]:
    """While it is entered, circular padding selects; torch's own way fills a buffer, which cannot be made functional.

    The op is taken apart before any table of decompositions is asked, so its kernel is replaced for the time.
    """
    with torch.library._scoped_library("aten", "IMPL") as library:  # noqa: SLF001
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            library.impl("_pad_circular", _pad_circular, "CompositeImplicitAutograd")
        yield
