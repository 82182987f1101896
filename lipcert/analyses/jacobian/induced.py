"""Operator norms of the Jacobian from l_p to l_q, for any p and q, from both sides at each sample.

Exact in closed form for p = 1, q = inf and p = q = 2; by trying every sign pattern for q = 1 with few classes and for
p = inf with few inputs, because a convex function is largest at a vertex of a cube. In between the norm is NP-hard:
the power method gives a witness below, and the smallest of several inequalities an upper end.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import conjugate, vector_norm
from lipcert.analyses.jacobian.duality import power_method
from lipcert.rounding import UNIT_ROUNDOFF, gamma

SIGN_LIMIT = 14
_BLOCK = 64
_WIDTH = 2**16


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
    found = exact_norm(jacobian, p, q)
    if found is not None:
        value, method = found
        return Ends(lower=value, upper=value, exact=True, method=method)
    upper = upper_norm(jacobian, p, q)
    lower = power_method(jacobian, p, q, random_starts=random_starts, passes=passes, seed=seed)
    # Where both are the norm itself, their roundings may cross.
    return Ends(
        lower=torch.minimum(lower, upper), upper=upper, exact=False, method="power method / norms of rows and columns"
    )


def exact_norm(jacobian: Tensor, p: float, q: float) -> tuple[Tensor, str] | None:
    """The norm at each sample and how it was had; None where there is no affordable exact way."""
    _, rows, columns = jacobian.shape
    if p == 1:
        return vector_norm(vector_norm(jacobian, q, dim=1), math.inf), "largest column norm"
    if math.isinf(q):
        return vector_norm(vector_norm(jacobian, conjugate(p)), math.inf), "largest row norm"
    if p == 2 and q == 2:
        return spectral_norms(jacobian), "Gram eigenvalue"
    if q == 1 and rows <= SIGN_LIMIT:
        return _largest_pattern(jacobian, conjugate(p)), "every sign pattern of the logits"
    if math.isinf(p) and columns <= SIGN_LIMIT:
        return _largest_pattern(jacobian.mT, q), "every sign pattern of the inputs"
    return None


def spectral_norms(jacobian: Tensor) -> Tensor:
    """Largest singular values, (N,), by the smaller Gram matrix: good to a few units in the last place."""
    gram = jacobian @ jacobian.mT if jacobian.shape[1] <= jacobian.shape[2] else jacobian.mT @ jacobian
    largest: Tensor = torch.linalg.eigvalsh(gram)[:, -1].clamp_min(0).sqrt()
    return largest


def upper_norm(jacobian: Tensor, p: float, q: float) -> Tensor:
    """An upper end of ||J||_{p -> q} at each sample, the smallest of four, raised by a bound on their rounding.

    K^(1/q - 1/2)+ D^(1/2 - 1/p)+ ||J||_2 with D the columns that are not zero, from ||y||_q <= K^(1/q - 1/2)+ ||y||_2;
    || (||row_k||_{p*})_k ||_q, from |<row_k, v>| <= ||row_k||_{p*};
    || (||column_j||_q)_j ||_{p*}, from the triangle inequality and Hoelder's;
    for p > 2 and any weights w > 0, K^(1/q - 1/2)+ ||J diag(w)^(-1/2)||_2 (||w||_{p/(p-2)})^(1/2), from
    sum_j w_j v_j^2 <= ||w||_{p/(p-2)} ||v||_p^2, again Hoelder's. The weights taken are the columns' l2 norms.
    """
    scale = jacobian.abs().amax(dim=(1, 2), keepdim=True)
    scale = torch.where(scale > 0, scale, 1.0)
    scaled = jacobian / scale
    widening = jacobian.shape[1] ** max(0.0, 1 / q - 1 / 2)
    columns = vector_norm(scaled, 2, dim=1)
    live = (columns > 0).sum(dim=1).to(scaled.dtype)
    bounds = [
        widening * live ** max(0.0, 1 / 2 - 1 / p) * spectral_norms(scaled),
        vector_norm(vector_norm(scaled, conjugate(p)), q),
        vector_norm(vector_norm(scaled, q, dim=1), conjugate(p)),
    ]
    if p > 2:
        balanced = scaled / torch.where(columns > 0, columns, 1.0).sqrt()[:, None, :]
        order = 1.0 if math.isinf(p) else p / (p - 2)
        bounds.append(widening * spectral_norms(balanced) * vector_norm(columns, order).sqrt())
    return torch.stack(bounds).amin(dim=0) * scale[:, 0, 0] * (1 + _slack(jacobian))


def _slack(jacobian: Tensor) -> float:
    """Bounds the relative rounding error of `upper_norm`.

    Sums of at most K D non-negative terms and a few roots and powers of numbers in [0, 1] are good to 2 (K + D + 50)
    units. The Gram matrix is off by at most D units of ||J||_F^2 <= K ||J||_2^2, its eigenvalue by a small multiple of
    K more.
    """
    _, rows, columns = jacobian.shape
    small = min(rows, columns)
    return 2 * (max(rows, columns) * small + 64 * small * small + rows + columns + 64) * UNIT_ROUNDOFF


def _largest_pattern(jacobian: Tensor, exponent: float) -> Tensor:
    """The largest ||J's||_r over s in {-1, 1}^K, shape (N,). Both s and -s give the same."""
    count, rows, _ = jacobian.shape
    signs = sign_patterns(rows).to(jacobian)
    if exponent == 2:
        gram = jacobian @ jacobian.mT
        quadratic = ((signs @ gram) * signs).sum(dim=2)
        return quadratic.amax(dim=1).clamp_min(0).sqrt() if count else quadratic.new_zeros(0)
    values = [_best_pattern(one, signs, exponent) for one in jacobian]
    return torch.stack(values) if values else jacobian.new_zeros(0)


def _best_pattern(matrix: Tensor, signs: Tensor, exponent: float) -> Tensor:
    """The same for one matrix. Patterns go in order of an upper bound, and stop where it falls below the best found.

    The bound is Cauchy's: sum_j |a_j| <= (sum_j w_j)^(1/2) (sum_j a_j^2 / w_j)^(1/2) with w the columns' norms; it is
    a quadratic form in s. For exponents above 1 the l1 norm bounds the others.
    """
    weights = vector_norm(matrix, 2, dim=0)
    live = matrix[:, weights > 0]
    if live.shape[1] == 0:
        return matrix.new_zeros(())
    weights = weights[weights > 0]
    gram = (live / weights) @ live.T
    bounds = (((signs @ gram) * signs).sum(dim=1).clamp_min(0) * weights.sum()).sqrt() * (1 + 1e-9)
    order = bounds.argsort(descending=True)
    if exponent != 1:
        return vector_norm(signs @ live, exponent).amax()
    close = _nearly_best(live, signs[order], bounds[order])
    return torch.stack([part.abs().sum(dim=1).amax() for part in (close @ live).split(_BLOCK)]).amax()


def _nearly_best(matrix: Tensor, signs: Tensor, bounds: Tensor) -> Tensor:
    """Patterns among which the best for l1 is, by a look at each in float32 until the bounds rule out the rest.

    A value in float32 is off by at most gamma(K + D + 2) sum |entries|, so what is below the best by twice that is not
    the best.
    """
    quick, patterns, limits = matrix.to(torch.float32), signs.to(torch.float32), bounds.tolist()
    off = gamma(sum(matrix.shape) + 2, 2.0**-24) * float(matrix.abs().sum())
    width, seen, best = max(1, min(_BLOCK, _WIDTH * _BLOCK // matrix.shape[1])), list[Tensor](), 0.0
    for start in range(0, len(signs), width):
        if best - off >= limits[start]:
            break
        seen.append((patterns[start : start + width] @ quick).abs().sum(dim=1))
        best = max(best, float(seen[-1].amax()))
    values = torch.cat(seen).to(torch.float64)
    return signs[: len(values)][values >= best - 2 * off]


def sign_patterns(length: int) -> Tensor:
    """All s in {-1, 1}^length with s_0 = 1, one a row."""
    tails = itertools.product((1.0, -1.0), repeat=length - 1)
    return torch.tensor([(1.0, *tail) for tail in tails], dtype=torch.float64)
