"""The power method with duality maps: the (p, q) operator norm of each of many matrices, from below.

Source: Boyd, The power method for l_p norms, Linear Algebra Appl. 9 (1974); as the linear case of l_p attacks, Roth,
Kilcher, Hofmann, arXiv 1906.01527.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.analyses.jacobian.base import conjugate, vector_norm

_TOLERANCE = 1e-6
_SEMIFINALISTS, _FINALISTS = 8, 3
_SCREENING = 2
_TINY = torch.finfo(torch.float32).tiny
_COLUMNS = 4
_BYTES = 2**23


def dual(slopes: Tensor, exponent: float) -> Tensor:
    """The v that maximises <g, v> over ||v||_p <= 1, for each g along the last axis; the maximum is ||g||_{p*}.

    For p = 1 the first largest entry is taken; for p = inf a zero entry counts as positive.
    """
    if math.isinf(exponent):
        return torch.ones_like(slopes).copysign(slopes)
    absolute = slopes.abs()
    if exponent == 1:
        place = absolute.argmax(dim=-1, keepdim=True)
        return torch.zeros_like(slopes).scatter(-1, place, torch.ones_like(slopes).copysign(slopes).gather(-1, place))
    largest = absolute.amax(dim=-1, keepdim=True)
    shape = (absolute / torch.where(largest > 0, largest, 1.0)).pow(conjugate(exponent) - 1).copysign(slopes)
    shape = torch.where(absolute > 0, shape, 0.0)
    length = vector_norm(shape, exponent)[..., None]
    return shape / torch.where(length > 0, length, 1.0)


def power_method(
    jacobian: Tensor, p: float, q: float, *, random_starts: int = 20, passes: int = 100, seed: int = 0
) -> Tensor:
    """A lower end of ||J||_{p -> q} for each J, shape (N,): ||Jv||_q for the best v with ||v||_p <= 1 that was found.

    One pass takes u = dual_{q*}(Jv) and then v = dual_p(J'u). The value never falls: ||Jv+||_q >= <u, Jv+>
    = ||J'u||_{p*} >= <J'u, v> = ||Jv||_q. It stops at a local maximum, so there are many starts: every row, the left
    singular vectors, the longest columns and random vectors. The best few go on after two passes, and for q > 1, where
    there are few local maxima, only the best eight start at all. The search is in float32, the value in the dtype of J.
    jacobian  (N, K, D)
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(random_starts, jacobian.shape[1], generator=generator, dtype=torch.float64)
    starts = 2 * jacobian.shape[1] + _COLUMNS + random_starts
    size = max(1, _BYTES // (4 * jacobian.shape[2] * starts))
    parts = [_search(part, p, q, drawn.to(part), passes) for part in jacobian.split(size)]
    return torch.cat(parts) if parts else jacobian.new_zeros(0)


def _search(jacobian: Tensor, p: float, q: float, drawn: Tensor, passes: int) -> Tensor:
    """The best value from any start, evaluated once more in full precision from the best few u."""
    scale = jacobian.abs().amax(dim=(1, 2), keepdim=True)
    quick = (jacobian / torch.where(scale > 0, scale, 1.0)).to(torch.float32)
    pulls = _starts(jacobian, q, drawn).to(torch.float32)
    if q > 1:
        values = vector_norm(pulls @ quick, conjugate(p)) / vector_norm(pulls, conjugate(q)).clamp_min(_TINY)
        pulls, _ = _best(pulls, values, _SEMIFINALISTS)
    for _ in range(_SCREENING):
        pulls, values = _pass(quick, pulls, p, q)
    pulls, values = _best(pulls, values, _FINALISTS)
    _climb(quick, pulls, values, p, q, passes - _SCREENING)
    return _pass(jacobian, pulls.to(jacobian), p, q)[1].amax(dim=1)


def _best(pulls: Tensor, values: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """The u's of the largest values, and these."""
    chosen = values.topk(min(most, values.shape[1]), dim=1)
    return pulls.gather(1, chosen.indices[..., None].expand(-1, -1, pulls.shape[2])), chosen.values


def _climb(jacobian: Tensor, pulls: Tensor, values: Tensor, p: float, q: float, passes: int) -> None:  # noqa: PLR0917  the state of the search
    """Pass after pass, in place, over the samples that still rise."""
    rising = torch.arange(len(jacobian), device=jacobian.device)
    for _ in range(passes):
        raised, reached = _pass(jacobian[rising] if len(rising) < len(jacobian) else jacobian, pulls[rising], p, q)
        more = (reached > values[rising] * (1 + _TOLERANCE)).any(dim=1)
        pulls[rising], values[rising] = raised, torch.maximum(values[rising], reached)
        rising = rising[more]
        if not len(rising):
            break


def _pass(jacobian: Tensor, pulls: Tensor, p: float, q: float) -> tuple[Tensor, Tensor]:
    """From u, shape (N, S, K), to the next u, and ||Jv||_q in between, (N, S)."""
    pushed = dual(pulls @ jacobian, p) @ jacobian.mT
    return dual(pushed, conjugate(q)), vector_norm(pushed, q)


def _starts(jacobian: Tensor, q: float, drawn: Tensor) -> Tensor:
    """First u's: e_k makes v the best for row k alone; the dual of a column makes v the best for that column."""
    count, rows, columns = jacobian.shape
    units = torch.eye(rows, dtype=jacobian.dtype, device=jacobian.device).expand(count, rows, rows)
    singular = torch.linalg.eigh(jacobian @ jacobian.mT).eigenvectors.mT
    longest = vector_norm(jacobian, q, dim=1).topk(min(_COLUMNS, columns), dim=1).indices
    picked = jacobian.gather(2, longest[:, None, :].expand(-1, rows, -1)).mT
    return torch.cat([units, singular.flip(1), dual(picked, conjugate(q)), drawn.expand(count, *drawn.shape)], dim=1)
