"""A test of the search itself: an error is planted where one surely lies, and must be found."""

from __future__ import annotations

import torch
from torch import Tensor

from lipcert.analyses.evaluation.base import Evidence, Finding, Searched, graded, not_applicable, of_ball
from lipcert.attacks import Ball, Classifier, Noise, Pgd, Target, run_attack, score_clean

_PLANTS = 12
_DEPTH = 0.9
_STEPS = 30


@of_ball(
    "planted",
    hint="The search misses errors that surely exist: its gradients mislead, or it has too few steps.",
    reference="Zimmermann, Brendel, Tramer & Carlini, arXiv 2206.13991",
)
def planted(evidence: Evidence, entry: Searched) -> Finding:
    """Share of samples where a search from the clean sample misses a planted error.

    A random point of the ball's rim gets a class of its own: a half-space of the logits that holds its logits, at a
    tenth of the way back to those of the clean sample. The error exists, and whoever follows the gradient of the
    logits finds it, or another one.
    """
    if evidence.blind:
        return not_applicable("gradients are not what the attacks on this file go by")
    rows, ball = evidence.some(evidence.rows, _PLANTS), entry.ball
    noise = Noise(seed=evidence.seed, stage="planted", indices=tuple(rows.tolist()))
    clean = evidence.target.clean[rows]
    seed_points = _rim(clean, ball, noise)
    with torch.no_grad():
        here, there = (evidence.target.classify(points).to(torch.float64) for points in (clean, seed_points))
    plantable = ((there - here).norm(dim=1) > 1e-7 * here.abs().amax(dim=1)).nonzero()[:, 0]
    if not len(plantable):
        return not_applicable("no random point of the ball changes any logit")
    plants = _plant(here[plantable], there[plantable])
    missed = _missed(evidence.target.classify, clean[plantable], plants, ball, evidence.seed)
    share = missed / len(plantable)
    text = f"{missed} of {len(plantable)} planted errors were not found"
    return graded(share, text, warn=0.1, fail=0.5, samples=len(plantable))


def _rim(clean: Tensor, ball: Ball, noise: Noise) -> Tensor:
    direction = ball.steepest(ball.sample(clean, noise, 0) - clean)
    return ball.project(clean + ball.eps * direction, clean)


def _plant(here: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Weights w (n, classes) and offsets b (n,) such that w z + b is positive at `there` and negative at `here`."""
    weight = (there - here) / (there - here).norm(dim=1, keepdim=True)
    return weight, -(weight * (here + _DEPTH * (there - here))).sum(dim=1)


def _missed(classify: Classifier, clean: Tensor, plants: tuple[Tensor, Tensor], ball: Ball, seed: int) -> int:
    """How many planted errors a search misses. Each sample has a head of its own, so all of them stay together."""

    def head(points: Tensor) -> Tensor:
        logits = classify(points)
        score = (logits * plants[0].to(logits)).sum(dim=1) + plants[1].to(logits)
        return torch.stack([torch.zeros_like(score), score], dim=1)

    labels = torch.zeros(len(clean), dtype=torch.int64, device=clean.device)
    target = Target(classify=head, scorer=head, clean=clean, labels=labels)
    search = Pgd(loss="margin", steps=_STEPS, exhaustive=True)
    return int((~run_attack(target, search, ball, score_clean(target), seed=seed).broken).sum())
