"""Local Lipschitz constants of functionals of the logits, and of all logits together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.bounds.layered.covariance import above, frobenius, largest, loss
from lipcert.bounds.local.balls import Ball, balls, length
from lipcert.bounds.local.boxes import Boxes
from lipcert.bounds.local.edges import Edges
from lipcert.records import Norm
from lipcert.rounding import gamma, product_up, sqrt_up, sum_up

_UP = 1 + 2.0**-48


@final
@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """Bounds on v = M' row for M functionals, whatever two points of the region M belongs to.

    size    at least |v|, entry by entry, (M, numbers of the input); None where no boxes were asked for
    ball    centre and radius in l2
    spared  nodes where linear bounds were too dear and intervals stand instead
    """

    size: Tensor | None
    ball: Ball
    spared: int = 0

    def constant(self, norm: Norm) -> Tensor:
        """At least the Lipschitz constant of each functional in the region, (M,); infinite where unknown."""
        entry = (self.ball.centre.abs() + self.ball.spread) * _UP
        size = entry if self.size is None else torch.minimum(self.size, entry)
        grown = 1 + gamma(size.shape[1] + 16)
        euclidean = torch.minimum(length(size), (length(self.ball.centre) + self.ball.error) * _UP)
        if norm == "l2":
            found = euclidean
        elif norm == "linf":
            found = torch.minimum(size.sum(1) * grown, euclidean * sqrt_up(float(size.shape[1])) * _UP)
        else:
            found = torch.minimum(size.amax(1), euclidean)
        return found.nan_to_num(nan=torch.inf)

    def whole(self, norm: Norm) -> float:
        """At least the constant of all M functionals of one sample together, `norm` to `norm`.

        l2: ||C + R|| <= ||C|| + root of the sum of squares of the rows of R, or root of the sum of the constants' own.
        """
        each = self.constant(norm)
        if not bool(each.isfinite().all()):
            return float("inf")
        if norm == "linf":
            return float(each.max())
        if norm == "l1":
            entry = (self.ball.centre.abs() + self.ball.spread) * _UP
            size = entry if self.size is None else torch.minimum(self.size, entry)
            return float(size.sum(0).max()) * (1 + gamma(len(size) + 16)) * _UP
        centre = self.ball.centre[None]
        square = frobenius(centre) ** 2 * _UP
        middle = sqrt_up(largest(above(centre @ centre.mT, product_up((loss(centre, centre.shape[2]), square)))))
        spread = float(length(self.ball.error[None]))
        return min(sum_up((middle, spread)), float(length(each[None])))


def gradients(edges: Edges, rows: Tensor, sample: Tensor, *, boxes: bool = True, work: float = 1e11) -> Gradients:
    """Bounds for M functionals of the logits.

    rows    (M, classes), float64
    sample  whose edges each functional sees, (M,)
    boxes   whether to bound the entries by linear bounds: what l1 and linf need, and dear
    work    multiplications that those may take
    """
    with torch.no_grad():
        ball = balls(edges, sample, rows)
        if not boxes:
            return Gradients(None, ball)
        found = Boxes(edges, sample, rows, work=work)
        return Gradients(found.gradient.magnitude, ball, len(found.spared))
