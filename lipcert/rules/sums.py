"""Bounds of sums and differences with broadcasting and factors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lipcert.graph import Node
from lipcert.rounding import UNIT_ROUNDOFF, gamma
from lipcert.rules.base import argument
from lipcert.rules.deployment import Deployment
from lipcert.rules.interval import Interval
from lipcert.rules.linearised import constant, copies_of_source, spread_out, summed_up
from lipcert.rules.relaxation import Affine


def _factors(node: Node) -> tuple[float, float]:
    """What the two terms are multiplied with."""
    alpha: Any = argument(node, 2, "alpha", 1)
    factor = float(alpha)
    return {"add": (1.0, factor), "sub": (1.0, -factor), "rsub": (-factor, 1.0)}[node.op]


def signed_terms(node: Node) -> list[tuple[Node, float]]:
    """The live terms with their factors."""
    pairs = zip(node.args[:2], _factors(node), strict=True)
    return [(term, factor) for term, factor in pairs if isinstance(term, Node)]


def _fixed(node: Node) -> Tensor | None:
    """The constant term, broadcast and multiplied; None where both terms are live."""
    for term, factor in zip(node.args[:2], _factors(node), strict=True):
        if not isinstance(term, Node):
            return factor * constant(node, term)
    return None


def sum_interval(node: Node, inputs: tuple[Interval, ...]) -> Interval:
    """Ends add up, those of a negative term the other way round."""
    fixed = _fixed(node)
    lower = upper = size = torch.zeros((), dtype=torch.float64) if fixed is None else fixed
    size = size.abs()
    for (source, factor), x in zip(signed_terms(node), inputs, strict=True):
        low, high = (factor * spread_out(node, source, end) for end in (x.lower, x.upper))
        lower, upper = lower + torch.minimum(low, high), upper + torch.maximum(low, high)
        size = size + torch.maximum(low.abs(), high.abs())
    return Interval(lower, upper).widen(8 * UNIT_ROUNDOFF * size)


def sum_relaxation(node: Node, inputs: tuple[Interval, ...]) -> Affine:
    """Exact: rows go to each live term, times its factor, added up where it is broadcast."""
    terms = signed_terms(node)
    identity = all(source.shape == node.shape and factor == 1.0 for source, factor in terms)
    slack: Tensor | float = 0.0
    if not identity:
        sizes = [abs(f) * spread_out(node, s, x.magnitude) for (s, f), x in zip(terms, inputs, strict=True)]
        copies = max(copies_of_source(node, source) for source, _ in terms)
        slack = gamma(copies + 8) * sum(sizes[1:], sizes[0])
    adjoints = tuple(_adjoint(node, source, factor) for source, factor in terms)
    return Affine(adjoints, _fixed(node), slack, identity=identity and _fixed(node) is None)


def _adjoint(node: Node, source: Node, factor: float) -> Any:
    def adjoint(rows: Tensor) -> Tensor:
        pulled = summed_up(node, source, rows.unsqueeze(1)).squeeze(1)
        return pulled if factor == 1.0 else factor * pulled

    return adjoint


def sum_rounding(node: Node, inputs: tuple[Interval, ...], output: Interval, deployment: Deployment) -> Tensor | float:
    """U |z| for the sum; where a term has a factor or is a number, one more rounding of it."""
    if not deployment.store:
        return 0.0
    size = output.magnitude
    for (source, factor), x in zip(signed_terms(node), inputs, strict=True):
        size = size if abs(factor) == 1.0 else size + 2 * abs(factor) * spread_out(node, source, x.magnitude)
    fixed = _fixed(node)
    return deployment.steps(1) * (size if fixed is None else size + 2 * fixed.abs()) * (1 + 4 * deployment.store)
