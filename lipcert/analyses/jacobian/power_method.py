"""The theorem that joins attacks and operator norms, checked on the network at hand.

Inside the linear region, x_k = x + radius * v_k for the iterates of projected gradient ascent with an infinite step on
|f(x_k) - f(x)|_2^2 / 2, where v_k are those of the power method on J'J from the same start.

Source: Roth, Kilcher & Hofmann, arXiv 1906.01527, Theorem 1 (v3).
"""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.alignment import Base
from lipcert.analyses.jacobian.ascent import ascend, away_from, random_directions
from lipcert.records import PowerMethodRecord, Skipped

STEPS = 10
TOLERANCE = 1e-4
"""Far above float error, about 1e-8, and above what a smooth network bends within the radius."""

SHARE = 1e-5
"""Of the reference radius: close enough to look linear, far enough for float64."""

_FAR = 1e8  # a finite step of so many radii


def check_power_method(
    base: Base, radius: float, cells: Tensor | None, *, seed: int = 0
) -> PowerMethodRecord | Skipped:
    """Both iterations from one random start, compared after every step, at `SHARE` of `radius`.

    cells  (N,) lower bounds on the distance to the nearest wall of each sample's region; None where not known
    """
    small = SHARE * radius
    start = random_directions(base.points, seed=seed, stage="power method")
    steep = base.jacobian.flatten(1).norm(dim=1) > 0
    if not steep.any():
        return Skipped(reason="the Jacobian is zero at every sample looked at: neither method has a direction")
    walk, power, apart = start, start.flatten(1), torch.zeros_like(base.logits[:, 0])
    for _ in range(STEPS):
        walk = ascend(base.graph, base.points, away_from(base.logits), walk, radius=small, steps=1, step=_FAR * small)
        walk = walk / small
        power = _step(base.jacobian, power)
        apart = torch.maximum(apart, (walk.flatten(1) - power).norm(dim=1))
    apart = apart[steep].to(torch.float64)
    return PowerMethodRecord(
        samples=int(steep.sum()),
        steps=STEPS,
        radius=small,
        inside=0 if cells is None else int((cells[steep] > small).sum()),
        agreement=summarise(apart, seed=seed),
        tolerance=TOLERANCE,
        holds=float((apart <= TOLERANCE).double().mean()),
    )


def _step(jacobian: Tensor, directions: Tensor) -> Tensor:
    """J'J v over its norm; v itself where that is zero."""
    image = (jacobian.mT @ (jacobian @ directions[:, :, None]))[:, :, 0]
    length = image.norm(dim=1, keepdim=True)
    return torch.where(length > 0, image / length.clamp_min(torch.finfo(image.dtype).tiny), directions)
