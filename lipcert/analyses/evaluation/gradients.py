"""Checks of the gradients that the attacks follow."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from lipcert.analyses.evaluation.base import Evidence, Finding, graded, not_applicable, of_model
from lipcert.attacks.base import logits_and_gradient
from lipcert.graph.scores import error_log_odds, margins

_STEP = 1e-6
_TINY_STEP = 1e-4
_OFF_KINKS = 1e-3  # equal inputs under a max-pool are a kink
_WRONG, _ROUNDING = 0.05, 1e-13
_BLIND = "the file has no gradient of its own; it is searched by its logits, and by transfer from its float reading"


@of_model(
    "differentiable",
    hint="Such a search finds less than gradients would: raise --effort, and read accuracy as an upper bound.",
    reference="Athalye, Carlini & Wagner, arXiv 1802.00420",
)
def differentiable(evidence: Evidence) -> Finding:
    """Whether the file that is judged is the function that gradients come from."""
    if evidence.blind:
        return Finding(status="warn", message=_BLIND, value=1.0, threshold=0.0)
    return Finding(status="pass", message="gradients come from the function that is judged", value=0.0, threshold=0.0)


@of_model(
    "zero_gradient",
    hint="Look for rounding, sign, detach or saturated layers: attacks that follow gradients see nothing here.",
    reference="AutoAttack flags; Carlini et al., arXiv 1902.06705",
)
def zero_gradient(evidence: Evidence) -> Finding:
    """Samples where either loss has no gradient at all."""
    if evidence.blind or not len(evidence.rows):
        return not_applicable(_BLIND if evidence.blind else "no sample is classified rightly")
    zero = torch.stack([(g == 0).all(dim=1) for g in evidence.gradients.values()]).any(dim=0)
    share = float(zero.double().mean())
    text = f"the gradient of a loss is exactly 0 at {share:.0%} of the samples"
    return graded(share, text, warn=0.0, fail=0.2, samples=len(zero))


@of_model(
    "gradient_agreement",
    hint="The gradient is not that of the function: look for detach, straight-through estimators, custom backwards.",
    reference="Pintor et al., arXiv 2106.09947 (indicators of attack failure)",
)
def gradient_agreement(evidence: Evidence) -> Finding:
    """Automatic derivatives of the margin, and of the log-odds, against central differences, all in float64.

    Two directions a sample: the gradient's own, and one drawn at random, along which a missing part shows.
    """
    if evidence.blind or not len(evidence.rows):
        return not_applicable(_BLIND if evidence.blind else "no sample is classified rightly")
    points = evidence.points.to(torch.float64)
    points = points + _OFF_KINKS * evidence.spread * _drawn(points, evidence.seed + 2)
    wrong = torch.zeros(len(points), dtype=torch.bool, device=points.device)
    for loss in (partial(margins, labels=evidence.labels), partial(error_log_odds, labels=evidence.labels)):
        _, gradient = logits_and_gradient(evidence.double, loss, points)
        for direction in (_unit(gradient), _unit(_drawn(points, evidence.seed))):
            slope = (gradient * direction).flatten(1).sum(dim=1)
            step = _STEP * evidence.spread
            with torch.no_grad():
                ahead, behind = (loss(evidence.double(points + s * step * direction)) for s in (1, -1))
            measured = (ahead - behind) / (2 * step)
            size = torch.maximum(gradient.flatten(1).norm(dim=1) * 0.1, measured.abs())
            rounding = _ROUNDING * (1 + ahead.abs()) / step
            wrong |= (slope - measured).abs() > _WRONG * size + rounding
    share = float(wrong.double().mean())
    text = f"automatic derivatives differ from central differences at {share:.0%} of the samples"
    return graded(share, text, warn=0.1, fail=0.4, samples=len(wrong))


def _unit(direction: Tensor) -> Tensor:
    """Each sample's direction at length 1; 0 stays 0."""
    flat = direction.flatten(1)
    length: Tensor = torch.linalg.vector_norm(flat, dim=1, keepdim=True)
    return (flat / length.clamp_min(1e-300)).reshape(direction.shape)


def _drawn(like: Tensor, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like.device)


@of_model(
    "plateau",
    hint="The input is rounded somewhere: attack the function before rounding, or rely on the search by logits.",
    reference="Athalye, Carlini & Wagner, arXiv 1802.00420 (shattered gradients)",
)
def plateau(evidence: Evidence) -> Finding:
    """Samples where a tiny random step changes no logit, though a large one does."""
    if evidence.blind or not len(evidence.rows):
        return not_applicable(_BLIND if evidence.blind else "no sample is classified rightly")
    points, noise = evidence.points.to(torch.float64), _drawn(evidence.points, evidence.seed + 1)
    with torch.no_grad():
        here = evidence.double(points)
        near, far = (evidence.double(points + size * evidence.spread * noise) for size in (_TINY_STEP, 0.3))
    flat = (near == here).all(dim=1) & (far != here).any(dim=1)
    share = float(flat.double().mean())
    text = f"a step of {_TINY_STEP:g} of the data's width changes no logit at {share:.0%} of the samples"
    return graded(share, text, warn=0.0, fail=0.5, samples=len(flat))
