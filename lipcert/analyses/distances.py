"""How far away the nearest errors are, and the curve of robust accuracy that follows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lipcert.analyses.base import accuracy, eps_space, summarise
from lipcert.attacks import AbstractAttack, Ball, Nearby
from lipcert.records import AdversarialRadiusRecord, CurvePoint

_POINTS = 40


def everywhere(ball: Ball, clean: Tensor) -> Ball:
    """A ball of this norm and box around any of the samples that reaches as far as the inputs' range is wide.

    Where the range is not known it is taken from the samples, ten times as wide.
    """
    if ball.input_range is not None:
        low, high = ball.input_range
        width = high - low
    else:
        width = 10 * float(clean.max() - clean.min()) if len(clean) else 1.0
    power = {"linf": 0.0, "l2": 0.5, "l1": 1.0}[ball.norm]
    reach = max(width, 1e-12) * math.prod(clean.shape[1:]) ** power
    return Ball(norm=ball.norm, eps=max(reach, ball.eps), input_range=ball.input_range)


def radius_record(
    near: Nearby,
    attacks: Sequence[AbstractAttack],
    spent: tuple[int, int],
    unfinished: tuple[str, ...],
    *,
    seed: int = 0,
) -> AdversarialRadiusRecord:
    """Distances of the errors found, and the share of samples with none, radius by radius."""
    known = near.distance[near.distance.isfinite()]
    return AdversarialRadiusRecord(
        norm=near.ball.norm,
        eps_space=eps_space(near.ball.input_range),
        clipped=near.ball.input_range is not None,
        samples=len(near.distance),
        found=len(known),
        adversarial_radius=summarise(known, seed=seed) if len(known) else None,
        curve=_curve(near.distance),
        attacks=tuple(attack.name for attack in attacks),
        gradients=spent[0],
        forwards=spent[1],
        unfinished=unfinished,
    )


def _curve(distance: Tensor) -> tuple[CurvePoint, ...]:
    """Equal steps from 0 to the furthest error known."""
    known = distance[distance.isfinite()]
    if len(known) == 0:
        return ()
    levels = torch.linspace(0.0, float(known.max()), _POINTS + 1, dtype=torch.float64).unique()
    return tuple(CurvePoint(eps=float(level), robust_accuracy=accuracy(distance > level)) for level in levels)
