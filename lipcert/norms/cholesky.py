"""Dense matrices too large for an eigenbasis: one Cholesky factorisation proves one guess.

If floating-point Cholesky of the symmetric M = t^2 I - G runs to completion, then the smallest eigenvalue of M is at
least -c tr(M) with c = gamma(m+1) / (1 - gamma(m+1)) (Rump, Verification of positive definiteness, BIT 46 (2006),
Theorem 2.3, from Demmel's error bound). With G the computed A A', whose error is at most gamma(n) ||A||_F^2,

    ||A||^2 <= t^2 + u max M_ii + c tr(M) + gamma(n) ||A||_F^2.

Guesses start a hair above the lower end and grow until one succeeds.
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from lipcert.norms.base import ENCLOSURES, MATRIX_PACE, AbstractEnclosure, Task, length_up, witnessed
from lipcert.operators import AbstractLinearOperator, DenseOperator
from lipcert.operators.krylov import ritz_vector
from lipcert.operators.stack import dense_stack, stack_shape
from lipcert.records import Enclosure, Soundness
from lipcert.rounding import UNIT_ROUNDOFF, down, gamma, product_up, sqrt_up, sum_up, up

_STEPS = tuple(10.0**-k for k in range(9, 0, -1))
# Below about a hundred rows the eigenbasis is as quick, and sharper.
_OVERHEAD = 2e8
_CANDIDATES = 4


@final
@ENCLOSURES.register("cholesky")
class Cholesky(AbstractEnclosure):
    """Lower end by Golub-Kahan on the Gram matrix, upper end by the factorisation; relative gap about 1e-9."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """The Gram matrix, three factorisations, four hundred products of it with a vector."""
        shape = stack_shape(operator)
        if shape is None:
            return math.inf
        small, large = sorted(map(float, shape[1:]))
        return MATRIX_PACE * (_OVERHEAD + shape[0] * (small**2 * large + small**3) + 400.0 * small**2)

    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """Both ends; the Frobenius norm is the upper one in the unlikely case that no guess succeeds."""
        stack = dense_stack(operator)
        largest = float(stack.abs().max())
        if largest == 0.0:
            return Enclosure(lower=0.0, upper=0.0, soundness=Soundness.EXACT, method="zero")
        # A power of two scales exactly, and keeps squares away from overflow and underflow.
        scale = 2.0 ** min(math.frexp(largest)[1], 1023)
        stack = stack / scale
        grams = stack @ stack.mT
        lower = max(_lower(stack[i], grams[i], task) for i in _candidates(grams))
        upper, step = _climb(grams, lower, stack)
        exact = step <= 1e-6
        return Enclosure(
            lower=lower * scale,
            upper=upper * scale,
            soundness=Soundness.EXACT if exact else Soundness.PROVED,
            method="cholesky" if step < 1.0 else "golub-kahan / frobenius",
        )


def _candidates(grams: Tensor) -> list[int]:
    """The blocks that a few steps of power iteration find largest."""
    if len(grams) <= _CANDIDATES:
        return list(range(len(grams)))
    vectors = grams.sum(-1, keepdim=True) + grams.diagonal(dim1=-2, dim2=-1)[..., None]
    for _ in range(30):
        vectors = grams @ torch.nn.functional.normalize(vectors, dim=1)
    return [int(i) for i in vectors.norm(dim=1).flatten().topk(_CANDIDATES).indices]


def _lower(matrix: Tensor, gram: Tensor, task: Task) -> float:
    generator = torch.Generator().manual_seed(task.seed)
    vector = ritz_vector(DenseOperator(gram), iterations=200, tolerance=1e-10, generator=generator)
    return witnessed(DenseOperator(matrix.T), vector)


def _climb(grams: Tensor, lower: float, stack: Tensor) -> tuple[float, float]:
    """Upper end for the whole stack, and the last step above the lower end that it took; 1 where none succeeded."""
    best, used = 0.0, 0.0
    for step in _STEPS:
        squares = stack.square().sum((1, 2))
        frobenius = length_up(float(squares.max()), stack[0].numel())
        proved, bound = _certify(grams, lower * (1.0 + step), stack.shape[2], frobenius)
        if bool(proved.any()):
            best, used = max(best, bound), step
        grams, stack = grams[~proved], stack[~proved]
        if not len(stack):
            return best, used
    return max(best, length_up(float(stack.square().sum((1, 2)).max()), stack[0].numel())), 1.0


def _certify(grams: Tensor, guess: float, columns: int, frobenius: float) -> tuple[Tensor, float]:
    """Which blocks are proved to have norms at most the number returned, a hair above `guess`."""
    size = grams.shape[-1]
    square = up(guess * guess)
    shifted = square * torch.eye(size, dtype=torch.float64, device=grams.device) - grams
    factors, info = torch.linalg.cholesky_ex(shifted)
    proved = (info == 0) & torch.isfinite(factors).all(-1).all(-1)
    g = gamma(size + 1)
    error = sum_up(
        (
            product_up((2 * UNIT_ROUNDOFF, square)),
            product_up((up(g / down(1.0 - g)), square, float(size))),
            product_up((gamma(columns + 1), frobenius, frobenius)),
        )
    )
    return proved, sqrt_up(sum_up((square, error)))
