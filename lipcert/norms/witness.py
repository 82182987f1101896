"""Lower ends of the Lipschitz constant: norms of the Jacobian at one point.

A differentiable map is at least as steep as its Jacobian anywhere, so any ||J v|| / ||v|| is a lower end. Jacobians are
computed in float64; their error through a network has no useful a priori bound, so the values are lowered by 1e-9 of
themselves, a margin a thousand times what was ever seen, and called a witness, not a proof.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.operators import AbstractLinearOperator, AdjointOperator, materialise
from lipcert.operators.krylov import ritz_vector
from lipcert.records import Norm

MARGIN = 1e-9
# With at most so many outputs the Jacobian is written out.
WRITTEN_OUT = 64
_ITERATIONS = 6
_ROUNDS = 3


def passes(operator: AbstractLinearOperator) -> int:
    """Forward or backward passes that `steepness` costs, roughly."""
    return operator.out_size + 1 if operator.out_size <= WRITTEN_OUT else 2 * _ITERATIONS + 2 + 2 * 2 * _ROUNDS


def steepness(operator: AbstractLinearOperator, *, seed: int = 0) -> dict[Norm, float]:
    """Lower ends of the three induced norms of a Jacobian; exact up to the margin when it has few outputs."""
    if operator.out_size <= WRITTEN_OUT:
        matrix = materialise(operator, chunk=16)
        orders: dict[Norm, float] = {"l2": 2, "linf": torch.inf, "l1": 1}
        found = {norm: float(torch.linalg.matrix_norm(matrix, order)) for norm, order in orders.items()}
    else:
        generator = torch.Generator().manual_seed(seed)
        left = AdjointOperator(operator)
        vector = ritz_vector(left, iterations=_ITERATIONS, tolerance=1e-3, generator=generator)
        length = float(vector.norm())
        found = {
            "l2": float(left.apply(vector[None]).norm()) / length if length else 0.0,
            "linf": largest_column_sum(left),
            "l1": largest_column_sum(operator),
        }
    return {norm: max(0.0, value * (1.0 - MARGIN)) for norm, value in found.items()}


def largest_column_sum(operator: AbstractLinearOperator) -> float:
    """A lower end of ||A||_1: the largest sum over the columns that Hager's iteration visits.

    Source: Hager, Condition estimates, SIAM J. Sci. Stat. Comput. 5 (1984).
    """
    guess = torch.full((1, *operator.in_shape), 1.0 / operator.in_size, dtype=torch.float64, device=operator.device)
    best = 0.0
    for _ in range(_ROUNDS):
        value = operator.apply(guess)
        total = float(value.abs().sum())
        if total <= best:
            break
        best = total
        slopes = operator.adjoint(torch.ones_like(value).copysign(value))
        guess = _unit(slopes)
    return best


def _unit(slopes: Tensor) -> Tensor:
    """The unit vector at the entry of largest absolute value."""
    unit = torch.zeros_like(slopes)
    unit.reshape(-1)[slopes.abs().argmax()] = 1.0
    return unit
