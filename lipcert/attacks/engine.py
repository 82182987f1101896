"""Runs attacks in a ball, re-checks what they claim, and keeps the worst of it per sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import AbstractAttack, Ball, Classifier, Noise, OutOfTimeError
from lipcert.deadline import Deadline
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

    def of(self, rows: Tensor) -> Outcome:
        """The outcome of some of the samples, by their indices."""
        found = tuple(self.found[row] for row in rows.tolist())
        return Outcome(inputs=self.inputs[rows], margin=self.margin[rows], loss=self.loss[rows], found=found)

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
    rows: Tensor | None = None,
    deadline: Deadline | None = None,
    finished: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """The worst of `clean` and of what one attack finds in `ball`.

    Args:
        rows: indices of the samples to search, in order; None for all
        deadline: when to stop between batches, with what there is; `target.classify` stops within one
        finished: told the number of samples done after each batch
    """
    rows = torch.arange(len(target.clean)) if rows is None else rows.cpu()
    parts = []
    for batch in blocks(rows, batch_size):
        if deadline is not None and deadline.passed:
            break
        at = batch.to(target.clean.device)
        inputs, labels = target.clean[at], target.labels[at]
        noise = Noise(seed=seed, stage=attack.name, indices=tuple(batch.tolist()))
        candidates = propose(attack, target.classify, inputs, labels, ball, noise)
        origin = f"{attack.name} in {ball.norm} {ball.eps:g}, seed {seed}"
        scored = [judge(target, points, inputs, labels, ball=ball, origin=origin) for points in candidates]
        parts.append((at, worst_of([clean.of(at), *scored])))
        finished(sum(len(done) for done, _ in parts))
    return merge(clean, parts)


def blocks(rows: Tensor, size: int) -> tuple[Tensor, ...]:
    """Rows in blocks of `size`, the last one shorter; none where there are no rows."""
    return rows.split(size) if len(rows) else ()


def propose(  # noqa: PLR0917  the batch, as `perturb` has it
    attack: AbstractAttack, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise
) -> Tensor:
    """What an attack proposes; nothing where time was up before it had anything."""
    try:
        return attack.perturb(classify, clean, labels, ball, noise)
    except OutOfTimeError:
        return clean[:0][None].expand(0, *clean.shape)


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


def judge(
    target: Target, points: Tensor, clean: Tensor, labels: Tensor, *, ball: Ball, origin: str | Sequence[str]
) -> Outcome:
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
        found=(origin,) * len(points) if isinstance(origin, str) else tuple(origin),
    )


def _score(scorer: Scorer, points: Tensor, batch_size: int) -> Tensor:
    """Logits in float64 on the device of `points`."""
    with torch.no_grad():
        starts = range(0, len(points), max(batch_size, 1))
        parts = [scorer(points[start : start + batch_size]).to(points.device, torch.float64) for start in starts]
    return torch.cat(parts)


def _column(mask: Tensor, like: Tensor) -> Tensor:
    return mask.reshape(-1, *[1] * (like.ndim - 1))


def merge(whole: Outcome, parts: Sequence[tuple[Tensor, Outcome]]) -> Outcome:
    """`whole` with the outcomes of some of its samples, given by their indices, in place."""
    inputs, margin, loss = whole.inputs.clone(), whole.margin.clone(), whole.loss.clone()
    found = list(whole.found)
    for rows, part in parts:
        inputs[rows], margin[rows], loss[rows] = part.inputs, part.margin, part.loss
        for row, name in zip(rows.tolist(), part.found, strict=True):
            found[row] = name
    return Outcome(inputs=inputs, margin=margin, loss=loss, found=tuple(found))
