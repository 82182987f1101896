"""Matrices P with |w . d|^2 <= w'Pw for every vector w and every increment d a value can take, and their algebra.

A value z of the network moves by d = z(x) - z(x') with ||x - x'||_2 <= 1; such a P bounds all of it at once: it is the
shape of an ellipsoid that holds every d. Every function here returns a matrix that is at least, in the order of
Hermitian matrices, what exact arithmetic would give for any matrix that the given one is at least: "above" below.
Rounding is paid for on the diagonal: a computed matrix within e of the exact one in the Frobenius norm, plus e I, is
above it.

Matrices come in stacks (B, n, n), float64 or complex128, Hermitian to the last bit; a stack is a block diagonal. Error
bounds are those of Higham, Accuracy and Stability of Numerical Algorithms (2002), sections 3.5 and 3.6: a computed
product A B with inner dimension n differs from the exact one by at most gamma_(n+2) |A| |B|, entry by entry, in any
order of summation; in complex arithmetic an operation errs by at most gamma_4 in place of u, hence gamma_(4(n+2)).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.operators import DenseOperator
from lipcert.operators.krylov import ritz_vector
from lipcert.rounding import UNIT_ROUNDOFF, down, gamma, product_up, sqrt_up, sum_up, up

# More than what products of fewer than 1e5 terms can lose where they fall below the normal numbers.
UNDERFLOW = 1e-300
_STEPS = (1e-9, 1e-6, 1e-4, 1e-2, 1e-1)
_SMALL = 512
_NORMAL = (1e-130, 1e130)


def loss(matrix: Tensor, terms: int) -> float:
    """The gamma for sums of that many products in the arithmetic of `matrix`."""
    return gamma((4 if matrix.is_complex() else 1) * (terms + 2))


def finite(matrix: Tensor) -> bool:
    """Whether every entry is a number."""
    numbers = torch.view_as_real(matrix.detach()) if matrix.is_complex() else matrix.detach()
    return bool(numbers.isfinite().all())


def frobenius(matrix: Tensor) -> float:
    """An upper bound on the largest Frobenius norm of a stack of matrices."""
    if not matrix.numel():
        return 0.0
    numbers = torch.view_as_real(matrix.detach()) if matrix.is_complex() else matrix.detach()
    rounding = up(1.0 + gamma(numbers[0].numel() + 8))
    length = float(torch.linalg.vector_norm(numbers.flatten(1), dim=1).max())
    if _NORMAL[0] < length < _NORMAL[1]:  # no square that counts has left the range of normal numbers
        return up(length * rounding)
    top = float(numbers.abs().max())
    if top == 0.0 or not math.isfinite(top):
        return top
    squares = (numbers / top).square().flatten(1).sum(1)
    return product_up((top, sqrt_up(up(float(squares.max()) * rounding))))


def above(matrix: Tensor, error: float) -> Tensor:
    """The Hermitian part of matrices whose Frobenius distance from the exact ones is at most `error`, raised."""
    symmetric = (matrix + matrix.mH) / 2
    raised = sum_up((error, product_up((4 * UNIT_ROUNDOFF, frobenius(matrix)))))
    return _shifted(symmetric, up(raised * (1 + 4 * UNIT_ROUNDOFF)))


def congruence(weight: Tensor, error: float, covariance: Tensor) -> Tensor:
    """Above W P W' for the exact W, whose Frobenius distance from `weight`, (B, m, n), is at most `error`."""
    half = weight @ covariance
    size, spread = frobenius(weight), frobenius(covariance)
    g = loss(half, covariance.shape[-1])
    lost = sum_up(
        (
            product_up((2.0, g, up(1.0 + g), size, size, spread)),
            product_up((2.0, error, size, spread)),
            product_up((error, error, spread)),
            product_up((UNDERFLOW, sum_up((1.0, size)))) if size and spread else 0.0,
        )
    )
    return above(half @ weight.mH, lost)


def largest(covariance: Tensor) -> float:
    """An upper bound on the largest eigenvalue, proved by one Cholesky factorisation of t I - P.

    When floating-point Cholesky of M runs to completion, the smallest eigenvalue of M is at least -c tr(M) with
    c = g / (1 - g), g = gamma_(n+1) (Rump, BIT 46 (2006), Theorem 2.3; with gamma_(4(n+1)) in complex arithmetic, by
    the same proof). The Frobenius norm is the last resort.
    """
    guess = estimate(covariance)
    if guess == 0.0 or not math.isfinite(guess):
        return frobenius(covariance)
    identity = torch.eye(covariance.shape[-1], dtype=covariance.dtype, device=covariance.device)
    for step in _STEPS:
        top = up(guess * (1.0 + step))
        shifted = top * identity - covariance.detach()
        if not bool(torch.linalg.cholesky_ex(shifted)[1].any()):
            rounding = product_up((2 * UNIT_ROUNDOFF, sum_up((top, float(covariance.detach().abs().max())))))
            return sum_up((top, rounding, _below(shifted)))
    return frobenius(covariance)


def estimate(covariance: Tensor) -> float:
    """The largest eigenvalue, or a number a little below it; infinite where it cannot be had."""
    covariance = covariance.detach()
    if not finite(covariance):
        return math.inf
    if len(covariance) > 1 or covariance.shape[-1] <= _SMALL:
        try:
            return max(0.0, float(torch.linalg.eigvalsh(covariance)[:, -1].max()))
        except RuntimeError:  # the iteration did not converge
            return math.inf
    operator = DenseOperator(covariance[0])
    vector = ritz_vector(operator, iterations=80, tolerance=1e-5, generator=torch.Generator().manual_seed(0))
    return float((covariance[0] @ vector).norm() / vector.norm())


def inverse_above(matrix: Tensor, error: float) -> Tensor | None:
    """Above S^-1 for the exact S, whose distance from `matrix` in the spectral norm is at most `error`.

    None where S is not shown to be positive definite. With T = matrix - error I, S is above T. Let Y be the computed
    inverse of T, and f a bound on ||I - Y T||_F. If f < 1, then T is nonsingular, ||T^-1|| <= ||Y|| / (1 - f), and
    T^-1 = Y + (I - Y T) T^-1 is below Y + f ||Y|| / (1 - f) I. T is positive definite: Cholesky's completion leaves no
    eigenvalue below -s = -c tr(T), and f + s ||Y|| < 1 none in [-s, 0], as I - Y (T + t I) stays below 1 there.
    """
    lowered = up(error + 2 * UNIT_ROUNDOFF * float(matrix.detach().abs().max()))
    shifted = _shifted(matrix, -lowered)
    factor, info = torch.linalg.cholesky_ex(shifted)
    if bool(info.any()) or not bool(factor.isfinite().all()):
        return None
    inverse = torch.cholesky_inverse(factor)
    inverse = (inverse + inverse.mH) / 2
    size, length = matrix.shape[-1], frobenius(inverse)
    with torch.no_grad():
        residual = frobenius(_shifted(inverse @ shifted, -1.0))
    rounding = product_up((loss(matrix, size), length, frobenius(shifted)))
    f = sum_up((residual, rounding, 4 * UNIT_ROUNDOFF * size))
    if not sum_up((f, product_up((_below(shifted), length)))) < 0.5:  # NaN is no proof
        return None
    return above(inverse, product_up((f, length, up(1.0 / down(1.0 - f)))))


def _below(matrix: Tensor) -> float:
    """How far below zero the eigenvalues can lie of matrices whose Cholesky factorisation runs to completion.

    Rump's theorem, its term for underflow included.
    """
    size = matrix.shape[-1]
    g = loss(matrix, size)
    trace = product_up((float(size), float(matrix.detach().abs().diagonal(dim1=-2, dim2=-1).max()), 1.0 + 1e-12))
    return sum_up((product_up((up(g / down(1.0 - g)), trace)), product_up((UNDERFLOW, sum_up((1.0, trace))))))


def _shifted(matrix: Tensor, amount: float) -> Tensor:
    """The matrices with `amount` added on their diagonals."""
    result = matrix.clone()
    result.diagonal(dim1=-2, dim2=-1).add_(amount)
    return result
