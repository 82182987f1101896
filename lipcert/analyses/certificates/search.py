"""Radii by search: how far linear bounds still prove a sample, each radius itself verified."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.analyses.certificates.ladder import Ladder
from lipcert.analyses.certificates.rungs import Rung
from lipcert.deadline import Deadline
from lipcert.graph.scores import margins
from lipcert.records import Norm

_CLOSE = 0.01
_FAR = 1e6


@final
class RadiusSearch:
    """Bisection with a radius of its own for each sample, batch by batch.

    The lower end is always a radius that was proved itself, so nothing is assumed about how bounds change with it.
    The upper end is only where looking further is not worth while.

    steps  bisections at most; a sample whose ends are within 1 % needs no more
    """

    def __init__(self, ladder: Ladder, rung: Rung, *, steps: int, deadline: Deadline) -> None:
        self._ladder, self._rung, self._steps, self._deadline = ladder, rung, steps, deadline

    def widen(self, norm: Norm, rows: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, int]:
        """The largest radii found proved, at least `lower`, shape (N,), and how many samples were searched to the end.

        rows   the samples to search, in the order in which they count
        lower  (N,) radii known to be proved
        upper  (N,) radii not worth passing
        """
        radius, done = lower.clone(), 0
        for some in rows.split(self._ladder.batch):
            radius[some], complete = self._batch(norm, some, lower[some], upper[some])
            if not complete:
                break
            done += len(some)
        return radius, done

    def _batch(self, norm: Norm, rows: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, bool]:
        low, high = lower.clone(), torch.maximum(lower, upper)
        for _ in range(self._steps):
            active = (high - low > _CLOSE * high).nonzero()[:, 0]
            if not len(active):
                break
            if self._deadline.passed:
                return low, False
            middle = (low[active] + high[active]) / 2
            proved = self._proved(norm, rows[active], middle)
            low[active[proved]] = middle[proved]
            high[active[~proved]] = middle[~proved]
        return low, True

    def _proved(self, norm: Norm, rows: Tensor, eps: Tensor) -> Tensor:
        with torch.no_grad():
            margin = self._rung.bound(self._ladder.bounder, self._ladder.batch_of(rows, norm, eps))
        return (margin > 0).cpu()


def first_order_radius(ladder: Ladder, rows: Tensor, norm: Norm) -> Tensor:
    """Where the smallest margin would vanish if the network were linear, shape (n,): an estimate, no bound."""
    batch = ladder.batch_of(rows, norm, torch.zeros(len(rows), dtype=torch.float64))
    x = batch.region.centre.detach().requires_grad_()
    with torch.enable_grad():
        margin = margins(ladder.bounder.plan.graph(x), batch.labels)
        (gradient,) = torch.autograd.grad(margin.sum(), x, materialize_grads=True)
    order = {"l2": 2.0, "linf": 1.0, "l1": torch.inf}[norm]
    steepness: Tensor = torch.linalg.vector_norm(gradient.flatten(1), order, dim=1)
    radius: Tensor = (margin.detach() / steepness).nan_to_num(nan=0.0).clamp(0.0, _FAR)
    return radius.cpu()
