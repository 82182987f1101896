"""Norms that are sums over entries: linf -> linf, l1 -> l1, and Frobenius. Exact up to rounding, both ends proved.

Applying |A| to a vector of ones gives every row sum of absolute values at the real input size, edges included;
the adjoint gives the column sums, and the squared entries the Frobenius norm. All terms are non-negative, so each
sum carries a relative error of at most gamma(terms).

The entries of a chain are computed, and may cancel: each errs by at most gamma(terms + 8 depth) times the majorant's
entry, so the norms err by at most that times the majorant's.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from lipcert.norms.base import ENTRY_ERROR, TINY, rounded_sum
from lipcert.operators import AbstractLinearOperator
from lipcert.records import Enclosure, Soundness
from lipcert.rounding import down, gamma, product_up, sqrt_up, sum_up, up


def linf_norm(operator: AbstractLinearOperator) -> Enclosure:
    """The largest absolute row sum."""
    absolute = operator.powered(1)
    found = _widened(rounded_sum(absolute), max(operator.terms, absolute.terms), "row sums")
    return _chained(found, operator, rounded_sum(operator.majorant()))


def l1_norm(operator: AbstractLinearOperator) -> Enclosure:
    """The largest absolute column sum."""
    absolute = operator.powered(1)
    found = _widened(rounded_sum(absolute, transposed=True), max(operator.terms, absolute.terms), "column sums")
    return _chained(found, operator, rounded_sum(operator.majorant(), transposed=True))


def frobenius_norm(operator: AbstractLinearOperator) -> Enclosure:
    """The root of the sum of squares over the whole matrix, every place a kernel visits counted."""
    squared = operator.powered(2)
    ones = torch.ones(1, *operator.in_shape, dtype=torch.float64, device=operator.device)
    total = float(squared.apply(ones).sum())
    terms = max(operator.terms, squared.terms) + operator.out_size + 3
    # Squares below 1e-308 lose digits. Bounds from the sums of entries take over where that matters.
    if total < _UNDERFLOW:
        found = _between(operator)
    else:
        found = _widened(sqrt_up(product_up((total, up(1.0 + gamma(terms))))), terms, "sum of squares")
    return _chained(found, operator, product_up((rounded_sum(operator.majorant()), float(operator.out_size))))


# Underflow may take 2^-1074 from a square: nothing beside 1e-250 times u, for as many entries as fit a memory.
_UNDERFLOW = 1e-250


def _between(operator: AbstractLinearOperator) -> Enclosure:
    """Ends of the Frobenius norm: a row sum over the row's length below, the sum of all entries above."""
    largest = rounded_sum(operator.powered(1))
    lower = down(largest * down(1.0 - 4 * gamma(operator.terms + 4) - 2 * ENTRY_ERROR))
    return Enclosure(
        lower=max(0.0, down(down(lower / operator.in_size) - 4 * TINY)) if largest else 0.0,
        upper=product_up((largest, float(operator.out_size), up(1.0 + ENTRY_ERROR))),
        soundness=Soundness.PROVED if largest else Soundness.EXACT,
        method="row sums",
    )


def _widened(upper: float, terms: int, method: str) -> Enclosure:
    """Both ends around a sum already rounded up: the lower one takes back that and the sum's own error."""
    error = up(2 * gamma(terms + 4) + 2 * ENTRY_ERROR)
    return Enclosure(
        lower=max(0.0, down(down(upper * down(1.0 - 2 * error)) - 8 * TINY)),
        upper=product_up((upper, up(1.0 + ENTRY_ERROR))),
        soundness=Soundness.EXACT,
        method=method,
    )


def _chained(found: Enclosure, operator: AbstractLinearOperator, majorant: float) -> Enclosure:
    """The ends of a chain moved apart by what its computed entries may err; `majorant` bounds the majorant's norm."""
    if operator.depth == 1:
        return found
    assert found.upper is not None
    error = product_up((gamma(operator.terms + 8 * operator.depth), majorant))
    lower, upper = max(0.0, down(found.lower - error)), sum_up((found.upper, error))
    exact = found.soundness is Soundness.EXACT and upper <= up(lower * (1 + 1e-6))
    return replace(found, lower=lower, upper=upper, soundness=Soundness.EXACT if exact else Soundness.PROVED)
