"""Points found on another classifier: a control for gradients that mislead, and the way into files that have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from lipcert.attacks.base import AbstractAttack, Ball, Classifier
from lipcert.attacks.engine import Outcome, Target, run_attack

_RIDGE = 1e-3


def run_transfer(
    target: Target,
    surrogate: Classifier,
    attack: AbstractAttack,
    ball: Ball,
    clean: Outcome,
    *,
    seed: int,
    batch_size: int = 256,
) -> Outcome:
    """The worst of `clean` and of what an attack on `surrogate` finds, by the scorer of the target."""
    found = run_attack(replace(target, classify=surrogate), attack, ball, clean, seed=seed, batch_size=batch_size)
    names = tuple(name if name in ("clean", *clean.found) else f"transfer of {name}" for name in found.found)
    return replace(found, found=names)


def fit_affine(inputs: Tensor, logits: Tensor) -> Callable[[Tensor], Tensor]:
    """The affine classifier nearest to `logits` on `inputs` by ridge regression, solved among the samples.

    It knows the model by its logits alone, so that no trick with gradients reaches it.

    Source: substitutes as in Papernot et al., arXiv 1602.02697; the simplest that can be fitted in closed form.
    """
    flat = inputs.flatten(1).to(torch.float64)
    centre, level = flat.mean(dim=0), logits.to(torch.float64).mean(dim=0)
    offsets = flat - centre
    gram = offsets @ offsets.mT
    strength = _RIDGE * float(gram.diagonal().mean().clamp_min(torch.finfo(torch.float64).tiny))
    eye = torch.eye(len(flat), dtype=torch.float64, device=flat.device)
    dual = torch.linalg.solve(gram + strength * eye, logits.to(torch.float64) - level)
    weight = offsets.mT @ dual

    def classify(points: Tensor) -> Tensor:
        scores: Tensor = (points.flatten(1).to(torch.float64) - centre) @ weight + level
        return scores.to(points.dtype)

    return classify
