"""The largest singular values of an operator, or all of them where its matrix fits: estimates, for reading and plots.

Large operators: a block Krylov space of A'A is built from random vectors (block Golub-Kahan without the short
recurrence), and the singular values of A restricted to it are taken. A restriction has no larger singular values, so
the i-th is a lower estimate of the i-th. With unit vectors u, v and s = u'A v the residual is
sqrt((|A v - s u|^2 + |A'u - s v|^2) / 2): that of an eigenpair of [[0, A], [A', 0]], so some singular value lies that
near. It may be another one than the i-th: these are estimates, and no bound rests on them.
Sources: Golub, Luk, Overton, ACM TOMS 7 (1981); Musco, Musco, NeurIPS 2015.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lipcert.norms.base import BUDGETS
from lipcert.operators import AbstractLinearOperator, AdjointOperator, materialise
from lipcert.records import Effort, SpectrumRecord

# Smaller side and entries of a matrix that is written out: its decomposition takes seconds.
_SIDE, _ENTRIES = 1200, 5e6
_BYTES = 2**28
_SPARE = 4
_STEPS: dict[Effort, int] = {"fast": 4, "default": 10, "high": 30}
_CONVERGED = 1e-8


def spectrum(
    operator: AbstractLinearOperator, count: int, *, effort: Effort = "default", seed: int = 0
) -> SpectrumRecord:
    """The `count` largest singular values in falling order; all where the operator has no more and its matrix fits."""
    small, large = sorted((operator.in_size, operator.out_size))
    if small <= _SIDE and float(small) * large <= _ENTRIES:
        left, values, right = torch.linalg.svd(materialise(operator), full_matrices=False)
        chosen = slice(0, count)
        return _record(operator, (left.T[chosen], values[chosen], right[chosen]), "dense", complete=count >= small)
    turned = AdjointOperator(operator) if operator.in_size > operator.out_size else operator
    left, values, right = _restricted(turned, min(count, small), effort, seed)
    left, right = (right, left) if turned is not operator else (left, right)
    return _record(operator, (left, values, right), "block golub-kahan", complete=False)


def _restricted(
    operator: AbstractLinearOperator, count: int, effort: Effort, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Left vectors, values and right vectors, one a row, from a block Krylov space."""
    width = min(count + _SPARE, operator.in_size)
    room = max(2, int(_BYTES / (8.0 * width * (operator.in_size + operator.out_size))))
    affordable = max(2, int(BUDGETS[effort] / (2.0 * width * operator.work + 1)))
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(operator.in_size, width, generator=generator, dtype=torch.float64).to(operator.device)
    block = torch.linalg.qr(start).Q
    # Orthonormal columns V and U, and a block triangular matrix B with A V = U B.
    inputs, outputs, coupling = start[:, :0], start.new_empty(operator.out_size, 0), start.new_empty(0, 0)
    for step in range(min(_STEPS[effort], room, affordable)):
        inputs = torch.cat((inputs, block), dim=1)
        outputs, coupling = _extended(outputs, coupling, _rows(operator.apply, block.T, operator.in_shape).T)
        left, values, right = torch.linalg.svd(coupling)
        reached = outputs @ left[:, :width]
        found = reached[:, :count].T, values[:count], right[:count] @ inputs.T
        pulled = _rows(operator.adjoint, reached.T, operator.out_shape).T
        residual = (pulled[:, :count] - found[1] * found[2].T).norm(dim=0)
        block = _new_directions(pulled, inputs)
        if (bool((residual <= _CONVERGED * values[0]).all()) and step > 0) or not block.shape[1]:
            break
    return found


def _extended(outputs: Tensor, coupling: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """U and B with the images of new columns of V."""
    rest, shares = images, outputs.new_zeros(outputs.shape[1], images.shape[1])
    for _ in range(2):
        share = outputs.T @ rest
        rest, shares = rest - outputs @ share, shares + share
    directions, corner = torch.linalg.qr(rest)
    lower = torch.cat((coupling.new_zeros(len(corner), coupling.shape[1]), corner), dim=1)
    return torch.cat((outputs, directions), dim=1), torch.cat((torch.cat((coupling, shares), dim=1), lower))


def _new_directions(block: Tensor, basis: Tensor) -> Tensor:
    """An orthonormal basis of what `block` adds to `basis`, twice orthogonalised; what adds nothing is left out."""
    scale = float(block.norm(dim=0).max())
    for _ in range(2):
        block = block - basis @ (basis.T @ block)
    left, sizes, _ = torch.linalg.svd(block, full_matrices=False)
    left = left[:, sizes > 1e-12 * max(scale, 1e-300)]
    added: Tensor = torch.linalg.qr(left - basis @ (basis.T @ left)).Q
    return added[:, : basis.shape[0] - basis.shape[1]]


def _rows(function: Callable[[Tensor], Tensor], rows: Tensor, shape: torch.Size) -> Tensor:
    return function(rows.reshape(-1, *shape)).flatten(1)


def _record(
    operator: AbstractLinearOperator, found: tuple[Tensor, Tensor, Tensor], method: str, *, complete: bool
) -> SpectrumRecord:
    """Values with their residuals, the operator applied afresh."""
    left, values, right = found
    forward = _rows(operator.apply, right, operator.in_shape) - values[:, None] * left
    backward = _rows(operator.adjoint, left, operator.out_shape) - values[:, None] * right
    squares = (forward.square().sum(1) + backward.square().sum(1)) / 2
    return SpectrumRecord(
        values=tuple(values.tolist()),
        residuals=tuple(math.sqrt(square) for square in squares.tolist()),
        complete=complete,
        method=method,
    )
