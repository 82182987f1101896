"""Dense matrices, exactly: the basis that diagonalises the Gram matrix, checked afterwards.

For any square matrix U close to orthogonal, with C = U' A:

    ||A|| <= ||C|| / smin(U),    ||C||^2 = ||C C'|| <= largest absolute row or column sum of C C'.

With U the computed eigenvectors of A A' the product C C' is diagonal but for rounding, so the bound is sharp; nothing
rests on the accuracy of the eigensolver. The errors of the three products are bounded by gamma(terms) times Frobenius
norms, and smin(U)^2 >= 1 - ||U' U - I||. The lower end is ||A' u|| / ||u|| for the first column u.
Source: after Rump, Verified bounds for singular values, BIT 51 (2011); the proof is the two lines above.
"""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Tensor

from lipcert.norms.base import ENCLOSURES, MATRIX_PACE, AbstractEnclosure, Task, length_down, length_up
from lipcert.operators import AbstractLinearOperator
from lipcert.operators.stack import dense_stack, stack_shape
from lipcert.records import Enclosure, Soundness
from lipcert.rounding import down, gamma, product_up, sqrt_up, sum_up, up


@final
@ENCLOSURES.register("gram")
class Gram(AbstractEnclosure):
    """Both ends for a matrix or a stack of matrices; relative gap about size^2 times the unit roundoff."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Three products and an eigendecomposition, which is slow for its number of multiplications."""
        shape = stack_shape(operator)
        if shape is None:
            return math.inf
        count, small, large = shape[0], min(shape[1:]), max(shape[1:])
        return MATRIX_PACE * count * (3.0 * small**2 * large + 30.0 * small**3)

    def enclose(self, operator: AbstractLinearOperator, _task: Task, /) -> Enclosure:
        """The largest of each end over the stack."""
        stack = dense_stack(operator)
        largest = float(stack.abs().max())
        if largest == 0.0:
            return Enclosure(lower=0.0, upper=0.0, soundness=Soundness.EXACT, method="zero")
        # A power of two scales exactly, and keeps squares away from overflow and underflow.
        scale = 2.0 ** min(math.frexp(largest)[1], 1023)
        ends = [_ends(matrix) for matrix in (stack / scale)]
        return Enclosure(
            lower=max(lower for lower, _ in ends) * scale,
            upper=max(upper for _, upper in ends) * scale,
            soundness=Soundness.EXACT,
            method="eigenbasis",
        )


def _ends(matrix: Tensor) -> tuple[float, float]:
    """Lower and upper end of the norm of a matrix (m, n) with m <= n."""
    m, n = matrix.shape
    basis = torch.linalg.eigh(matrix @ matrix.T).eigenvectors
    turned = basis.T @ matrix
    product = turned @ turned.T
    frobenius, turned_squares = _length(matrix), sum_up((product_up((_length(turned),) * 2),))
    basis_squares = product_up((_length(basis),) * 2)
    # Defect of orthogonality: what is seen, and what the product that shows it may hide.
    seen = _length(basis.T @ basis - torch.eye(m, dtype=torch.float64, device=matrix.device))
    defect = sum_up((seen, product_up((gamma(m + 2), basis_squares)), gamma(2)))
    if defect >= 0.5:
        return 0.0, frobenius
    # The computed product need not be symmetric to the last digit, so both its sums count.
    sums = max(float(product.abs().sum(axis).max()) for axis in (0, 1))
    largest = product_up((sums, up(1.0 + gamma(m + 1))))
    turned_norm = sqrt_up(sum_up((largest, product_up((gamma(n + 1), turned_squares)))))
    error = product_up((gamma(m + 1), sqrt_up(basis_squares), frobenius))
    upper = up(sum_up((turned_norm, error)) / down(math.sqrt(down(1.0 - defect))))
    witness = basis[:, -1]
    reached = length_down(float((witness @ matrix).square().sum()), n)
    error = product_up((gamma(m + 1), frobenius, _length(witness)))
    lower = down(max(0.0, down(reached - error)) / _length(witness))
    return max(0.0, lower), min(upper, frobenius)


def _length(x: Tensor) -> float:
    """Upper bound on the Frobenius norm."""
    return length_up(float(x.square().sum()), x.numel())
