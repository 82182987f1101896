"""One ascent: where each sample is, where it was, and the best it has seen."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

import torch
from torch import Tensor


@final
@dataclass(eq=False, slots=True)
class Ascent:
    """The samples `rows` on their way up a loss. Each field has one row a sample.

    previous                        the iterate before `points`
    best, best_loss, best_gradient  the iterate of the largest loss
    step                            step size, in the ball's norm
    rises, last_loss                steps since the last mark that raised the loss, and the loss before
    marked_loss, reduced            the best loss at the last mark, and whether the step was cut there
    features                        coordinates that a sparse step moves
    """

    rows: Tensor
    clean: Tensor
    points: Tensor
    previous: Tensor
    best: Tensor
    best_loss: Tensor
    best_gradient: Tensor
    step: Tensor
    rises: Tensor
    last_loss: Tensor
    marked_loss: Tensor
    reduced: Tensor
    features: Tensor

    @classmethod
    def start(cls, rows: Tensor, clean: Tensor, points: Tensor) -> Ascent:
        """All samples at `points`, with nothing seen."""
        unseen = torch.full((len(rows),), -torch.inf, device=points.device, dtype=points.dtype)
        return cls(
            rows=rows,
            clean=clean,
            points=points,
            previous=points,
            best=points,
            best_loss=unseen,
            best_gradient=torch.zeros_like(points),
            step=torch.zeros_like(unseen),
            rises=torch.zeros_like(unseen),
            last_loss=unseen,
            marked_loss=unseen,
            reduced=torch.zeros_like(unseen, dtype=torch.bool),
            features=torch.ones_like(unseen),
        )

    def keep(self, mask: Tensor) -> None:
        """Go on with the samples in `mask` only."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[mask])

    def see(self, loss: Tensor, gradient: Tensor) -> None:
        """Take in loss and gradient at `points`."""
        self.rises = self.rises + (loss > self.last_loss)
        self.last_loss = loss
        higher = loss > self.best_loss
        self.best_loss = torch.where(higher, loss, self.best_loss)
        self.best = torch.where(column(higher, self.points), self.points, self.best)
        self.best_gradient = torch.where(column(higher, gradient), gradient, self.best_gradient)


def column(values: Tensor, like: Tensor) -> Tensor:
    """One value a sample, shaped to broadcast over samples."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
