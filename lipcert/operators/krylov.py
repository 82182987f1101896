"""An approximate first singular vector, by Golub-Kahan-Lanczos bidiagonalisation.

Source: Golub, Kahan, Calculating the singular values and pseudo-inverse of a matrix, SIAM J. Numer. Anal. B 2 (1965);
one-sided reorthogonalisation after Simon, Zha, SIAM J. Sci. Comput. 21 (2000).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.operators.base import AbstractLinearOperator

# Squares of such numbers are well inside float32.
_ROOM = 1e-12, 1e12
# Part of a given start that is noise, so that no singular vector is out of reach.
_NOISE = 0.3
# Lost orthogonality only brings copies of singular values found to better than this.
_COARSE = 1e-5
_BYTES = 2**29


def ritz_vector(
    operator: AbstractLinearOperator,
    *,
    iterations: int,
    tolerance: float,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    start: Tensor | None = None,
) -> Tensor:
    """An input near the first right singular vector, of length about 1, shape (*in_shape), float64.

    It stops once the Ritz value is estimated to be within `tolerance`, relatively, of a singular value. `dtype` is
    that of the iteration; float32 for operators that are `mixed`, left where its range may not do. A `start` near the
    vector saves iterations. The basis is kept below 512 MB.
    """
    iterations = max(2, min(iterations, _BYTES // (operator.in_size * dtype.itemsize)))
    right = [_first(operator, start, generator).to(dtype)]
    orthogonal = dtype == torch.float64 or tolerance < _COARSE
    diagonal, above = list[float](), list[float]()
    left = operator.apply(right[0].reshape(1, *operator.in_shape)).reshape(-1)
    weights = torch.ones(1, dtype=torch.float64)
    for step in range(1, iterations + 1):
        diagonal.append(float(left.norm()))
        if step == 1 and dtype == torch.float32 and not _ROOM[0] < diagonal[-1] < _ROOM[1]:
            return ritz_vector(operator, iterations=iterations, tolerance=tolerance, generator=generator, start=start)
        if not 0.0 < diagonal[-1] < math.inf:
            break
        left = left / diagonal[-1]
        pulled = operator.adjoint(left.reshape(1, *operator.out_shape)).reshape(-1) - diagonal[-1] * right[-1]
        pulled = _orthogonal(pulled, right) if orthogonal else pulled
        above.append(float(pulled.norm()))
        exhausted = above[-1] <= 8 * torch.finfo(dtype).eps * max(diagonal)
        if exhausted or step == iterations or step < 8 or step % 4 == 0:
            weights, converged = _ritz(diagonal, above, tolerance)
            if exhausted or converged:
                break
        if step < iterations:
            right.append(pulled / above[-1])
            left = operator.apply(right[-1].reshape(1, *operator.in_shape)).reshape(-1) - above[-1] * left
    return _combined(weights, right).reshape(operator.in_shape)


def _combined(weights: Tensor, directions: list[Tensor]) -> Tensor:
    """The weighted sum of the first directions, in float64, one at a time: together they may be half a gigabyte."""
    vector = torch.zeros_like(directions[0], dtype=torch.float64)
    for weight, direction in zip(weights.tolist(), directions, strict=False):
        vector += weight * direction
    return vector


def _first(operator: AbstractLinearOperator, start: Tensor | None, generator: torch.Generator) -> Tensor:
    """A flat unit vector to begin with: random, or a given one with some noise."""
    first = torch.randn(operator.in_size, generator=generator, dtype=torch.float64).to(operator.device)
    if start is not None:
        first = first * (_NOISE / first.norm()) + start.flatten() / start.norm()
    unit: Tensor = first / first.norm()
    return unit


def _orthogonal(vector: Tensor, against: list[Tensor]) -> Tensor:
    """`vector` without its components along `against`; twice is enough (Kahan, Parlett)."""
    basis = torch.stack(against)
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector


def _ritz(diagonal: list[float], above: list[float], tolerance: float) -> tuple[Tensor, bool]:
    """First right singular vector of the bidiagonal matrix, and whether its value has converged."""
    size = len(diagonal)
    bidiagonal = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if size > 1:
        bidiagonal += torch.diag(torch.tensor(above[: size - 1], dtype=torch.float64), 1)
    left, values, right = torch.linalg.svd(bidiagonal)
    first = float(values[0])
    residual = above[-1] * abs(float(left[-1, 0]))
    apart = first - float(values[1]) if size > 1 else 0.0
    error = min(residual, residual * residual / apart if apart > 0 else residual)
    return right[0], size > 2 and error <= tolerance * first
