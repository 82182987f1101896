"""Operator norms of the Jacobian from l_p to l_q, for any p and q, from both sides at each sample.

Exact in closed form for p = 1, q = inf and p = q = 2; by trying every sign pattern for q = 1 with few classes and for
p = inf with few inputs, because a convex function is largest at a vertex of a cube. In between the norm is NP-hard:
the power method gives a witness below, and the smallest of several inequalities an upper end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import conjugate, vector_norm
from lipcert.analyses.jacobian.duality import power_method
from lipcert.analyses.jacobian.matrices import Matrices
from lipcert.analyses.jacobian.patterns import largest_pattern
from lipcert.rounding import UNIT_ROUNDOFF

SIGN_LIMIT = 14
_SAFE = 1e40  # squares of entries as far from 1 as this keep all their digits, even of those 1e40 times smaller


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ends:
    """Lower and upper ends of a norm, each (N,), in float64. `exact` where they are one number, to float error."""

    lower: Tensor
    upper: Tensor
    exact: bool
    method: str


def operator_norm(
    jacobian: Tensor, p: float, q: float, *, random_starts: int = 20, passes: int = 100, seed: int = 0
) -> Ends:
    """Both ends of max ||Jv||_q over ||v||_p <= 1 for each J of shape (N, K, D), float64; p and q in [1, inf]."""
    return both_ends(Matrices(jacobian), p, q, random_starts=random_starts, passes=passes, seed=seed)


def both_ends(matrices: Matrices, p: float, q: float, *, random_starts: int, passes: int, seed: int) -> Ends:
    """The same for matrices that other norms are computed of as well."""
    found = exact_norm(matrices, p, q)
    if found is not None:
        value, method = found
        return Ends(lower=value, upper=value, exact=True, method=method)
    upper = _upper(matrices, p, q)
    lower = power_method(matrices.entries, p, q, random_starts=random_starts, passes=passes, seed=seed)
    # Where both are the norm itself, their roundings may cross.
    return Ends(
        lower=torch.minimum(lower, upper), upper=upper, exact=False, method="power method / norms of rows and columns"
    )


def exact_norm(matrices: Matrices, p: float, q: float) -> tuple[Tensor, str] | None:
    """The norm at each sample and how it was had; None where there is no affordable exact way."""
    _, rows, columns = matrices.entries.shape
    if p == 1:
        return vector_norm(matrices.columns(q), math.inf), "largest column norm"
    if math.isinf(q):
        return vector_norm(matrices.rows(conjugate(p)), math.inf), "largest row norm"
    if p == 2 and q == 2:
        return matrices.spectrum[:, 0], "Gram eigenvalue"
    if q == 1 and rows <= SIGN_LIMIT:
        return largest_pattern(matrices.entries, conjugate(p)), "every sign pattern of the logits"
    if math.isinf(p) and columns <= SIGN_LIMIT:
        return largest_pattern(matrices.entries.mT, q), "every sign pattern of the inputs"
    return None


def upper_norm(jacobian: Tensor, p: float, q: float) -> Tensor:
    """An upper end of ||J||_{p -> q} at each sample, the smallest of four, raised by a bound on their rounding.

    K^(1/q - 1/2)+ D^(1/2 - 1/p)+ ||J||_2 with D the columns that are not zero, from ||y||_q <= K^(1/q - 1/2)+ ||y||_2;
    || (||row_k||_{p*})_k ||_q, from |<row_k, v>| <= ||row_k||_{p*};
    || (||column_j||_q)_j ||_{p*}, from the triangle inequality and Hoelder's;
    for p > 2 and any weights w > 0, K^(1/q - 1/2)+ ||J diag(w)^(-1/2)||_2 (||w||_{p/(p-2)})^(1/2), from
    sum_j w_j v_j^2 <= ||w||_{p/(p-2)} ||v||_p^2, again Hoelder's. The weights taken are the columns' l2 norms.
    """
    return _upper(Matrices(jacobian), p, q)


def _upper(matrices: Matrices, p: float, q: float) -> Tensor:
    """Powers and squares of entries far from 1 would overflow or vanish: such matrices are scaled first."""
    scale = matrices.largest[:, None, None]
    safe = ((scale > 1 / _SAFE) & (scale < _SAFE)) | (scale == 0)
    plain = bool(safe.all()) and {p, q} <= {1.0, 2.0, math.inf}
    scale = torch.ones_like(scale) if plain else torch.where(scale > 0, scale, 1.0)
    scaled = matrices if plain else Matrices(matrices.entries / scale)
    widening = scaled.entries.shape[1] ** max(0.0, 1 / q - 1 / 2)
    columns = scaled.columns(2)
    live = (columns > 0).sum(dim=1).to(columns.dtype)
    bounds = [
        widening * live ** max(0.0, 1 / 2 - 1 / p) * scaled.spectrum[:, 0],
        vector_norm(scaled.rows(conjugate(p)), q),
        vector_norm(scaled.columns(q), conjugate(p)),
    ]
    if p > 2:
        balanced = scaled.entries / torch.where(columns > 0, columns, 1.0).sqrt()[:, None, :]
        order = 1.0 if math.isinf(p) else p / (p - 2)
        bounds.append(widening * Matrices(balanced).spectrum[:, 0] * vector_norm(columns, order).sqrt())
    return torch.stack(bounds).amin(dim=0) * scale[:, 0, 0] * (1 + _slack(matrices.entries))


def _slack(jacobian: Tensor) -> float:
    """Bounds the relative rounding error of `upper_norm`.

    Sums of at most K D non-negative terms and a few roots and powers of numbers in [0, 1] are good to 2 (K + D + 50)
    units. The Gram matrix is off by at most D units of ||J||_F^2 <= K ||J||_2^2, its eigenvalue by a small multiple of
    K more.
    """
    _, rows, columns = jacobian.shape
    small = min(rows, columns)
    return 2 * (max(rows, columns) * small + 64 * small * small + rows + columns + 64) * UNIT_ROUNDOFF
