"""Upper ends for the largest eigenvalue of many Hermitian matrices at once, proved by Cholesky factorisations.

Let B be Hermitian of size m and let Cholesky, R^* R = B + E, run to completion in floating point. Each entry of R is an
inner product of at most m complex terms, a subtraction, and a division or a root. Its real and its imaginary part are
sums of at most 2 m real products, so with the factor sqrt 2 for both parts, and room for a division carried out as a
product with a reciprocal, |E_ij| <= g |R|_i' |R|_j with g = gamma(3 m + 12), |R|_j the j-th column. The diagonal gives
||R_j||^2 = B_jj + E_jj <= B_jj / (1 - g), hence |E_ij| <= g/(1-g) sqrt(B_ii B_jj), a matrix of norm g/(1-g) tr B, and

    smallest eigenvalue of B >= -c tr(B),   c = g / (1 - g).

With B = fl(t I - G): each diagonal entry is rounded by at most u (t + |G_ii|), so where G is positive semidefinite but
for an error of norm r, largest eigenvalue of G <= t + u (t + max G_ii) + c m (t + r), and max G_ii <= t + r because the
diagonal of a factored B is positive. Only the lower triangle and the real diagonal are read; G stands for the Hermitian
matrix they define. A completed factorisation holds no NaN and no infinity, which is checked.
Source: Demmel's error analysis as in Rump, Verification of positive definiteness, BIT 46 (2006), Theorem 2.3, with the
constant for complex arithmetic derived above.

Devices other than the CPU may factor by other algorithms. There E is bounded by the factor itself: the rounded R^* R is
within 2 gamma(2 m + 2) |R|^* |R| of the exact one, and ||E||_2 <= ||E||_F.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.rounding import UNIT_ROUNDOFF, down, gamma, product_up, sum_up, up

_MARGIN = 1e-9
_POWER_STEPS = 6
# Beyond this size an eigendecomposition takes tens of factorisations.
_EIGENBASIS = 768
_LANCZOS_STEPS = 60


@final
class Ceiling:
    """A running guess at the largest eigenvalue of every matrix shown to it, raised wherever a proof fails.

    guess  eigenvalues below it are not looked for; the result is never smaller
    error  bound on the norm of the error in every matrix shown
    """

    def __init__(self, guess: float, error: float) -> None:
        self._level = guess
        self._error = error
        self._inflation = 0.0

    def cover(self, grams: Tensor) -> None:
        """Raise the guess until it is proved for each of `grams` (count, m, m), complex or real."""
        size = grams.shape[-1]
        grams = grams if size == 1 else grams[~self._below(grams)]
        if not bool(torch.isfinite(torch.view_as_real(grams) if grams.is_complex() else grams).all()):
            self._level = float("inf")
        elif size == 1:
            self._level = max(self._level, float(grams.real.amax()))
        else:
            self._raise(grams)

    def _raise(self, grams: Tensor) -> None:
        """Raise the guess to an eigenvalue of the steepest of those that failed, until none fails."""
        step = _MARGIN
        while len(grams):
            highest = _steepest(grams)
            self._level = max(self._level, _largest(grams[highest])) * (1.0 + step)
            grams, step = grams[~self._below(grams)], 10.0 * step
            if step > 1.0:
                self._level = float("inf")
                return

    @property
    def value(self) -> float:
        """Upper bound on every largest eigenvalue, of the matrices without their errors."""
        return sum_up((self._level, self._inflation, self._error))

    def _below(self, grams: Tensor) -> Tensor:
        """Which matrices have no eigenvalue above the guess, but for an inflation that is noted."""
        size, level = grams.shape[-1], self._level
        shifted = torch.diagonal_scatter(-grams, level - grams.diagonal(dim1=-2, dim2=-1), dim1=-2, dim2=-1)
        factors, info = torch.linalg.cholesky_ex(shifted)
        proved: Tensor = (info == 0) & torch.isfinite(factors.diagonal(dim1=-2, dim2=-1).real.sum(-1))
        if grams.is_cpu:
            g = gamma(3 * size + 12)
            backward = product_up((up(g / down(1.0 - g)), float(size), sum_up((level, self._error))))
        else:
            proved &= torch.isfinite(torch.view_as_real(factors).sum((-1, -2, -3)))
            backward = _defect(shifted, factors, proved)
        rounding = product_up((2.0 * UNIT_ROUNDOFF, sum_up((level, self._error))))
        self._inflation = max(self._inflation, sum_up((backward, rounding)))
        return proved


def _defect(shifted: Tensor, factors: Tensor, proved: Tensor) -> float:
    """Bound on ||L L^* - B||_2 over the proved ones, B given by its lower triangle."""
    if not bool(proved.any()):
        return 0.0
    factors, lower = factors[proved], shifted[proved].tril()
    size = lower.shape[-1]
    seen = ((factors @ factors.mH).tril() - lower).abs().square().sum((-1, -2)).amax()
    hidden = factors.abs().square().sum((-1, -2)).amax()
    slack = up(1.0 + gamma(4 * size * size))
    # The full matrix holds the lower triangle at most twice.
    frobenius = product_up((2.0, float(seen.sqrt()), slack, slack))
    return sum_up((frobenius, product_up((2.0 * gamma(2 * size + 6), float(hidden), slack, slack))))


def _largest(gram: Tensor) -> float:
    """The largest eigenvalue of one Hermitian matrix, or what Lanczos finds of it, for the next guess."""
    if len(gram) <= _EIGENBASIS:
        return float(torch.linalg.eigvalsh(gram)[-1])
    basis = torch.empty(_LANCZOS_STEPS, len(gram), dtype=gram.dtype, device=gram.device)
    vector = gram.sum(-1) + gram.diagonal()
    for step in range(_LANCZOS_STEPS):
        basis[step] = vector / vector.norm()
        vector = gram @ basis[step]
        for _ in range(2):
            vector = vector - (basis[: step + 1].conj() @ vector) @ basis[: step + 1]
    projected = basis.conj() @ gram @ basis.mT
    return float(torch.linalg.eigvalsh(projected)[-1])


def _steepest(grams: Tensor) -> int:
    """The matrix whose largest eigenvalue a few steps of power iteration find largest."""
    vectors = grams.sum(-1, keepdim=True) + grams.diagonal(dim1=-2, dim2=-1)[..., None]
    for _ in range(_POWER_STEPS):
        vectors = grams @ torch.nn.functional.normalize(vectors, dim=1)
    return int(vectors.norm(dim=1).argmax())
