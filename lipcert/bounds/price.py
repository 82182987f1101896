"""What tightening the bounds inside a network costs, known before the first row is made.

Counted in multiply-adds of float64, from shapes and intervals alone, so that a limit on work falls at the same sample
on every machine.
"""

from __future__ import annotations

from torch import Size, Tensor

from lipcert.bounds.linearisation import Linearisation
from lipcert.bounds.memory import row_bytes
from lipcert.bounds.plan import Plan
from lipcert.bounds.slides import is_convolution
from lipcert.graph import Node
from lipcert.rules.interval import entries
from lipcert.rules.relaxation import Elementwise

_TOUCHED = 8  # multiply-adds worth of reading and writing an entry of a row at a node


def refining_price(known: Linearisation) -> float:
    """Multiply-adds that refining one sample of a region takes, about: a mean over the samples.

    known  with intervals of every node that were not refined. They are wider than refined ones, so deep neurons that
           turn out to be stable are counted as well.
    """
    plan, total = known.plan, 0.0
    for node in plan.nodes:
        if node.op == "input" or (relaxation := known.relaxation(node)).linear:
            continue
        for source in dict.fromkeys(plan.sources[node]):
            if source.op == "input":
                continue
            box = known.intervals[source]
            wide = relaxation.uncertain if isinstance(relaxation, Elementwise) else box.lower < box.upper
            total += 2 * _each(wide) * row_price(plan, source)
    return total


def row_price(plan: Plan, target: Node) -> float:
    """Multiply-adds of taking one row of one neuron of `target` back to the input, about."""
    shape = entries(target)
    share = 1.0
    if is_convolution(target):
        share = row_bytes(plan, target, windowed=True) / row_bytes(plan, target, windowed=False)
    dense = sum(_products(node) + _TOUCHED * entries(node).numel() for node in _before(plan, target))
    return share * dense + shape.numel() * _TOUCHED


def _before(plan: Plan, target: Node) -> set[Node]:
    """What enters the target's value."""
    found: set[Node] = set()
    waiting = list(plan.sources.get(target, ()))
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += plan.sources.get(node, ())
    return found


def _products(node: Node) -> float:
    """Multiply-adds of a node with constant weights; 0 for any other."""
    weights = [arg for arg in node.args if isinstance(arg, Tensor) and arg.ndim > 1]
    shape: Size = entries(node)
    if node.op == "input" or not weights or not shape:
        return 0.0
    channels = shape[0] if is_convolution(node) else shape[-1]
    return max(weight.numel() for weight in weights) * shape.numel() / max(1, channels)


def _each(wide: Tensor) -> float:
    """How many neurons of a sample, on average."""
    return float(wide.flatten(1).sum(1).double().mean())
