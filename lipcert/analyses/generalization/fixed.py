"""Numbers of a network that noise leaves as they are, and what it costs to write them down.

A prior over networks that holds such a number at the value which training gave it depends on the training samples.
One prior for each value that the numbers can have does not: a bound is claimed for all of these at once, with its
delta split among them by weights 2^-bits, fixed beforehand, that sum to 1 at most. What is added to KL is ln 2 for
each bit, of

    literals   Python's floating numbers among the arguments: k 10^e is either sent as k and e, with the weights of
               `log_price` each, or as its 64 bits; one bit says which
    tensors    every constant that no noise is on: one number where all entries are the same, else 64 bits an entry,
               a truth value 1; one bit says which

The preprocessing's mean and deviation are among the tensors: they are often taken from the training samples. Whole
numbers among the arguments are sizes, axes and strides, which are the architecture's.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

import torch
from torch import Tensor

from lipcert.analyses.generalization.base import log_price
from lipcert.graph import Graph

_BIT = math.log(2)
_WORD = 64 * _BIT


def described(graph: Graph, noisy: Collection[str]) -> float:
    """Natural logarithm of what all numbers outside of `noisy`, attributes of the graph, divide delta by."""
    literals = (_literal(number) for raw in graph.module.graph.nodes for number in _numbers((raw.args, raw.kwargs)))
    tensors = (_tensor(tensor) for name, tensor in graph.tensors.items() if name not in noisy)
    return math.fsum((*literals, *tensors)) * (1 + 1e-12)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        yield from _numbers(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)


def _literal(number: float) -> float:
    if not math.isfinite(number) or (number == 0 and math.copysign(1.0, number) < 0):
        return _BIT + _WORD
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    return _BIT + min(_WORD, log_price(whole) + log_price(exponent))


def _tensor(tensor: Tensor) -> float:
    if not tensor.numel():
        return 0.0
    entry = _BIT * (1 if tensor.dtype is torch.bool else 8 * tensor.element_size())
    first = tensor.flatten()[0]
    if not bool((tensor == first).all()):
        return _BIT + entry * tensor.numel()
    return _BIT + (_literal(float(first)) if tensor.is_floating_point() else entry)
