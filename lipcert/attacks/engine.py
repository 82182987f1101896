"""Runs attacks in a ball, re-checks what they claim, and keeps the worst of it per sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import AbstractAttack, Ball, Classifier, Noise
from lipcert.errors import ModelError
from lipcert.graph.scores import cross_entropy, margins

Scorer = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Target:
    """Labelled clean samples, the callable gradients come from, and the scorer whose verdict counts.

    classify  differentiable logits, on the device and in the dtype of `clean`
    scorer    logits of the file as it is deployed; `classify` where there is nothing closer
    reads     the dtype the scorer rounds its points to, where that is coarser than that of `clean`, whose values must
              be numbers of it; points are then rounded beforehand, towards the clean sample, lest the scorer judge
              one outside the ball
    """

    classify: Classifier
    scorer: Scorer
    clean: Tensor
    labels: Tensor
    reads: torch.dtype | None = None


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """The worst found per sample, the clean sample included, by the scorer's logits.

    inputs  (N, *input_shape) the point with the smallest margin, inside the ball and the box
    margin  (N,) float64, its margin
    loss    (N,) float64, the largest cross-entropy, found at that point or another
    found   what found `inputs`, per sample: "clean", or attack, ball and seed, which are enough to find it again
    """

    inputs: Tensor
    margin: Tensor
    loss: Tensor
    found: tuple[str, ...]

    @property
    def broken(self) -> Tensor:
        """Samples misclassified at `inputs`, a tie included, shape (N,)."""
        return self.margin <= 0

    @property
    def accuracy(self) -> float:
        """Share of samples not broken: never below the accuracy under the best attack there is."""
        return float((~self.broken).double().mean())

    @property
    def mean_loss(self) -> float:
        """Mean of the losses: never above that under the best attack there is."""
        return float(self.loss.mean())


def score_clean(target: Target, *, batch_size: int = 256) -> Outcome:
    """The outcome of no attack at all. Raises ModelError where a clean logit is not finite."""
    logits = _score(target.scorer, target.clean, batch_size)
    bad = ~logits.isfinite().all(dim=1)
    if bad.any():
        raise ModelError(
            f"finite logits were expected and sample {int(bad.nonzero()[0])} has others",
            hint="Check the preprocessing and the data.",
        )
    margin, loss = margins(logits, target.labels), cross_entropy(logits, target.labels)
    return Outcome(inputs=target.clean, margin=margin, loss=loss, found=("clean",) * len(logits))


def run_attack(  # noqa: D417  clean, seed and batch_size say what they are
    target: Target,
    attack: AbstractAttack,
    ball: Ball,
    clean: Outcome,
    *,
    seed: int,
    batch_size: int = 256,
    finished: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """The worst of `clean` and of what one attack finds in `ball`.

    Args:
        finished: told the number of samples done after each batch
    """
    parts = []
    for start in range(0, len(target.clean), batch_size):
        rows = slice(start, start + batch_size)
        inputs, labels = target.clean[rows], target.labels[rows]
        noise = Noise(seed=seed, stage=attack.name, indices=tuple(range(start, start + len(inputs))))
        candidates = attack.perturb(target.classify, inputs, labels, ball, noise)
        origin = f"{attack.name} in {ball.norm} {ball.eps:g}, seed {seed}"
        part = Outcome(inputs=inputs, margin=clean.margin[rows], loss=clean.loss[rows], found=clean.found[rows])
        scored = [_judge(target, points, inputs, labels, ball=ball, origin=origin) for points in candidates]
        parts.append(worst_of([part, *scored]))
        finished(start + len(inputs))
    return _join(parts) if parts else clean


def worst_of(outcomes: Sequence[Outcome]) -> Outcome:
    """Per sample the smallest margin, with the point that has it, and the largest loss. Ties keep the earlier."""
    return reduce(_worse, outcomes)


def _worse(first: Outcome, second: Outcome) -> Outcome:
    lower = second.margin < first.margin
    return Outcome(
        inputs=torch.where(_column(lower, first.inputs), second.inputs, first.inputs),
        margin=torch.where(lower, second.margin, first.margin),
        loss=torch.maximum(first.loss, second.loss),
        found=tuple(b if swap else a for a, b, swap in zip(first.found, second.found, lower.tolist(), strict=True)),
    )


def _judge(target: Target, points: Tensor, clean: Tensor, labels: Tensor, *, ball: Ball, origin: str) -> Outcome:
    """Score the points an attack proposes. One outside the ball is projected; one still outside becomes the clean one.

    A point whose logits are not finite shows nothing about the label and is as good as not found.
    """
    start = clean.to(target.reads or clean.dtype)
    outside = ~ball.contains(points, clean) | (start.dtype != clean.dtype)
    if outside.any():
        points = torch.where(_column(outside, points), ball.project(points, start).to(clean.dtype), points)
        points = torch.where(_column(~ball.contains(points, clean), points), clean, points)
    logits = _score(target.scorer, points, len(points))
    finite = logits.isfinite().all(dim=1)
    logits = torch.where(finite[:, None], logits, 0.0)
    return Outcome(
        inputs=points,
        margin=torch.where(finite, margins(logits, labels), torch.inf),
        loss=torch.where(finite, cross_entropy(logits, labels), 0.0),
        found=(origin,) * len(points),
    )


def _score(scorer: Scorer, points: Tensor, batch_size: int) -> Tensor:
    """Logits in float64 on the device of `points`."""
    with torch.no_grad():
        starts = range(0, len(points), max(batch_size, 1))
        parts = [scorer(points[start : start + batch_size]).to(points.device, torch.float64) for start in starts]
    return torch.cat(parts)


def _column(mask: Tensor, like: Tensor) -> Tensor:
    return mask.reshape(-1, *[1] * (like.ndim - 1))


def _join(parts: Sequence[Outcome]) -> Outcome:
    return Outcome(
        inputs=torch.cat([part.inputs for part in parts]),
        margin=torch.cat([part.margin for part in parts]),
        loss=torch.cat([part.loss for part in parts]),
        found=tuple(name for part in parts for name in part.found),
    )
