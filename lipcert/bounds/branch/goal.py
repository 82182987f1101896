"""What branch and bound has to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Goals:
    """For each goal: no point of its region gives <row, outputs> + offset <= 0 for all of its rows at once.

    region   (M,) which of the regions a goal is about
    group    (M,) goals that stand or fall together: once a point falsifies one, the others are not looked at
    rows     (M, K, outputs) float64; a goal with fewer rows repeats one
    offset   (M, K) float64, rounded down where it stands for a number that no float64 is
    """

    region: Tensor
    group: Tensor
    rows: Tensor
    offset: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def to(self, device: torch.device) -> Goals:
        """The same on another device."""
        return Goals(
            region=self.region.to(device),
            group=self.group.to(device),
            rows=self.rows.to(device),
            offset=self.offset.to(device),
        )

    def worst(self, outputs: Tensor, goals: Tensor) -> Tensor:
        """Max over a goal's rows of <row, outputs> + offset, (N,): not above 0 where the point falsifies it.

        outputs  (N, outputs) at a point of each of `goals`, (N,)
        """
        values = torch.einsum("nko,no->nk", self.rows[goals], outputs.to(self.rows.dtype))
        return (values + self.offset[goals]).amax(1)


def margin_goals(labels: Tensor, classes: int) -> Goals:
    """Every other class stays below the label's: one goal for each sample and class, one group a sample."""
    samples = torch.arange(len(labels))
    region = samples.repeat_interleave(classes - 1)
    others = torch.arange(classes).expand(len(labels), classes)[torch.arange(classes) != labels.cpu()[:, None]]
    eye = torch.eye(classes, dtype=torch.float64)
    rows = (eye[labels.cpu()[region]] - eye[others])[:, None]
    return Goals(region=region, group=region, rows=rows, offset=torch.zeros(len(rows), 1, dtype=torch.float64))
