"""Diagonal multipliers found by gradient descent; any of them gives a bound, so nothing rests on the search.

L = c q / lambda(Q^(1/2) R Q^(1/2)) with q > 0 and 0 < c < 2, both free: 2L - LRL is then positive definite up to the
error of lambda, and `inverse_above` proves it. The mean logarithm of the pairwise constants is minimised with Adam
over log q and the logit of c / 2. Every walk is a proof; the best one is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.increments import Multipliers
from lipcert.graph import Node
from lipcert.operators import DenseOperator
from lipcert.operators.krylov import ritz_vector

_RATE = 0.2
_POWER = 6
_FAR = 60.0
# The search ends where the mean logarithm has not fallen by as much in so many steps.
_GAIN = 1e-4
_PATIENCE = 10
_SMALL = 600


@final
class Searched:
    """The free numbers of every activation met so far.

    groups  node -> which of the node's numbers each entry takes, shape (size,)
    """

    def __init__(self, groups: Callable[[Node], Tensor]) -> None:
        self.numbers: dict[Node, tuple[Tensor, Tensor]] = {}
        self._groups = groups
        self._vectors: dict[Node, Tensor] = {}

    def afresh(self, groups: Callable[[Node], Tensor]) -> Searched:
        """The same numbers for matrices of other shapes, as constants."""
        other = Searched(groups)
        other.numbers = {node: (q.detach(), c.detach()) for node, (q, c) in self.numbers.items()}
        return other

    def forget(self) -> None:
        """Look for the largest eigenvalues anew."""
        self._vectors.clear()

    def choose(self, node: Node) -> Multipliers:
        """The multipliers of an activation as a function of the matrix of what it reads."""

        def multipliers(matrix: Tensor) -> Tensor:
            groups = self._groups(node)
            if len(groups) != matrix.shape[-1]:  # a maximum reads the place where a frame begins: one for all
                groups = torch.zeros(matrix.shape[-1], dtype=torch.long)
            if node not in self.numbers:
                self.numbers[node] = (
                    torch.zeros(int(groups.max()) + 1, dtype=torch.float64, device=matrix.device, requires_grad=True),
                    torch.zeros((), dtype=torch.float64, device=matrix.device, requires_grad=True),
                )
            weights, scale = self.numbers[node]
            q = torch.exp(weights.clamp(-_FAR, _FAR))[groups.clamp_max(len(weights) - 1).to(matrix.device)]
            root = torch.sqrt(q)
            return 2 * torch.sigmoid(scale) * q / self._top(node, root[:, None] * matrix * root)

        return multipliers

    def _top(self, node: Node, matrices: Tensor) -> Tensor:
        """The largest eigenvalue as v'Mv / v'v, whose gradient is right where v is an eigenvector."""
        with torch.no_grad():
            vectors = self._vectors.get(node)
            if vectors is None:
                vectors = _top_vectors(matrices)
            for _ in range(_POWER):
                vectors = matrices @ vectors
                vectors = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-300)
            self._vectors[node] = vectors
        values: Tensor = (vectors.mH @ (matrices @ vectors)).real.amax()
        return values


def _top_vectors(matrices: Tensor) -> Tensor:
    """An eigenvector of the largest eigenvalue of each matrix, (B, n, 1)."""
    if matrices.shape[-1] <= _SMALL:
        top: Tensor = torch.linalg.eigh(matrices)[1][:, :, -1:]
        return top
    generator = torch.Generator().manual_seed(0)
    each = (ritz_vector(DenseOperator(m), iterations=80, tolerance=1e-6, generator=generator) for m in matrices)
    return torch.stack(list(each))[:, :, None]


def search(
    walk: Callable[[Searched], Tensor | None],
    searched: Searched,
    *,
    steps: int,
    goal: Callable[[Tensor], Tensor],
) -> Tensor | None:
    """The matrix with the smallest `goal` of `steps` walks, detached; `searched` is left with its multipliers.

    Where a walk fails, as an eigenvalue was taken too small, it is tried once more with better ones, then given up.
    """
    best: Tensor | None = None
    least, improved, optimiser = float("inf"), 0, None
    for step in range(steps):
        covariance = walk(searched)
        if covariance is None:
            searched.forget()
            covariance = walk(searched)
        if covariance is None:
            break
        loss = goal(covariance)
        if not loss.requires_grad:  # no activation: there is nothing to choose
            return covariance
        value = float(loss.detach())
        if value < least - _GAIN:
            improved = step
        elif step - improved > _PATIENCE:
            break
        if value < least:
            best, least = covariance.detach(), value
        optimiser = optimiser or torch.optim.Adam([n for pair in searched.numbers.values() for n in pair], lr=_RATE)
        optimiser.param_groups[0]["lr"] = _RATE * (1 - step / steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return best


def mean_log_pair(covariance: Tensor) -> Tensor:
    """Mean over pairs of logits of half the logarithm of the squared constant."""
    own = covariance.diagonal()
    squares = own[:, None] + own[None] - 2 * covariance
    rows, columns = torch.triu_indices(len(own), len(own), 1)
    return squares[rows, columns].clamp_min(1e-300).log().mean() / 2
