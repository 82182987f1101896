"""Norms of linear operators as enclosures: a witness below, a proof above."""

from lipcert.norms import (
    chebyshev,
    cholesky,
    circular,
    composition,
    golub_kahan,
    gram,
    gram_iteration,
    one_axis,
    schur,
    small,
    structure,
    twisted_circulant,
    unfold,
)
from lipcert.norms.base import ENCLOSURES, LOWERS, RANDOMISED, UPPERS, Task, spectral_norm
from lipcert.norms.induced import frobenius_norm, l1_norm, linf_norm

METHODS = (
    structure,
    gram,
    cholesky,
    small,
    composition,
    circular,
    unfold,
    gram_iteration,
    twisted_circulant,
    one_axis,
    golub_kahan,
    chebyshev,
    schur,
)

__all__ = [
    "ENCLOSURES",
    "LOWERS",
    "METHODS",
    "RANDOMISED",
    "UPPERS",
    "Task",
    "frobenius_norm",
    "l1_norm",
    "linf_norm",
    "spectral_norm",
]
