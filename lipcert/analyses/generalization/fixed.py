"""Numbers of a network that noise leaves as they are, and what it costs to write them down.

A prior over networks that holds such a number at the value which training gave it depends on the training samples.
One prior for each value that the numbers can have does not: a bound is claimed for all of these at once, with its
delta split among them by weights 2^-bits, fixed beforehand, that sum to 1 at most. What is added to KL is ln 2 for
each bit, of

    literals   Python's floating numbers among the arguments: either the bits of the number, 32 where these are
               enough, or k and e of a k 10^e next to which it is the float64 or the float32, with the weights of
               `log_price` each; two bits say which
    tensors    every constant that no noise is on: one literal where all entries are the same, else their bits;
               two bits say which

The preprocessing's mean and deviation are among the tensors: they are often taken from the training samples. Whole
numbers among the arguments are sizes, axes and strides, which are the architecture's.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lipcert.analyses.generalization.base import log_price
from lipcert.graph import Graph, Node

_BIT = math.log(2)


def described(graph: Graph, noisy: Collection[str]) -> float:
    """Natural logarithm of what all numbers outside of `noisy`, attributes of the graph, divide delta by."""
    raws = graph.module.graph.nodes
    literals = (_literal(float(number)) for raw in raws for number in _numbers((raw.args, raw.kwargs)))
    tensors = (_tensor(tensor) for name, tensor in graph.tensors.items() if name not in noisy)
    return math.fsum((*literals, *tensors)) * (1 + 1e-12)


def described_at(nodes: Iterable[Node]) -> float:
    """The same of all numbers that some nodes read."""
    numbers = [number for node in nodes for number in _numbers((node.args, node.kwargs))]
    return math.fsum(_tensor(one) if isinstance(one, Tensor) else _literal(one) for one in numbers) * (1 + 1e-12)


def _numbers(value: Any) -> Iterator[float | Tensor]:
    if isinstance(value, float | Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _numbers(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)


def _literal(number: float) -> float:
    with np.errstate(over="ignore"):
        wide, narrow = np.float64(number), np.float32(number)
    choices = [_decimal(str(wide)) if _is_plain(number) else math.inf, 64 * _BIT]
    if narrow == wide:
        choices += [_decimal(str(narrow)) if _is_plain(number) else math.inf, 32 * _BIT]
    return 2 * _BIT + min(choices)


def _is_plain(number: float) -> bool:
    return math.isfinite(number) and (number != 0 or math.copysign(1.0, number) > 0)


def _decimal(digits: str) -> float:
    """Of the shortest digits that tell a number from all others of its type."""
    sign, figures, exponent = Decimal(digits).normalize().as_tuple()
    assert isinstance(exponent, int)
    whole = int("".join(map(str, figures))) * (-1 if sign else 1)
    return log_price(whole) + log_price(exponent)


def _tensor(tensor: Tensor) -> float:
    if not tensor.numel():
        return 0.0
    first = tensor.flatten()[0]
    if tensor.is_floating_point() and bool((tensor == first).all()):
        return 2 * _BIT + _literal(float(first))
    size = 1 if tensor.dtype is torch.bool else 8 * tensor.element_size()
    if tensor.dtype is torch.float64 and bool((tensor == tensor.float()).all()):
        size = 32
    return _BIT * (2 + size * tensor.numel())
