"""The nearest error of each sample that anybody has found, judged like everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import AbstractAttack, Ball, Noise
from lipcert.attacks.engine import Outcome, Target, blocks, judge, merge, propose
from lipcert.deadline import Deadline

_HALVINGS = 10


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Nearby:
    """The nearest misclassified point known of each sample, by the scorer.

    ball      the space searched: norm, input range, and a radius that no distance exceeds
    outcome   the points, with their margins; where none is known, the clean sample with its own
    distance  (N,) float64; 0 where the clean sample is misclassified, infinity where no error is known
    """

    ball: Ball
    outcome: Outcome
    distance: Tensor

    @classmethod
    def nothing(cls, ball: Ball, clean: Outcome) -> Nearby:
        """What is known before any search."""
        distance = torch.where(clean.broken, 0.0, torch.inf).to(torch.float64)
        return cls(ball=ball, outcome=clean, distance=distance)

    def within(self, eps: float, clean: Outcome) -> Outcome:
        """The worst known of each sample in a ball of radius eps."""
        rows = ((self.distance <= eps) & ~clean.broken).nonzero()[:, 0]
        part = self.outcome.of(rows)
        loss = torch.maximum(part.loss, clean.loss[rows])
        part = Outcome(inputs=part.inputs, margin=part.margin, loss=loss, found=part.found)
        return merge(clean, [(rows, part)])

    def with_errors(self, target: Target, found: Outcome, *, batch_size: int, deadline: Deadline | None) -> Nearby:
        """With the errors of `found`, moved towards the clean samples as far as they stay errors."""
        distance = self.ball.distance(found.inputs, target.clean)
        rows = (found.broken & (distance < self.distance)).nonzero()[:, 0]
        result = self
        for batch in blocks(rows, batch_size):
            if deadline is not None and deadline.passed:
                break
            result = result.nearer(batch, shorten(target, self.ball, batch, found.of(batch), deadline), target)
        return result

    def nearer(self, rows: Tensor, part: Outcome, target: Target) -> Nearby:
        """With the points of `part`, for the samples `rows`, where they are errors and nearer."""
        distance = self.ball.distance(part.inputs, target.clean[rows])
        better = part.broken & (distance < self.distance[rows])
        distances = self.distance.clone()
        distances[rows[better]] = distance[better]
        merged = merge(self.outcome, [(rows[better], part.of(better.nonzero()[:, 0]))])
        return Nearby(ball=self.ball, outcome=merged, distance=distances)


def find_nearby(
    target: Target,
    attacks: Sequence[AbstractAttack],
    known: Nearby,
    *,
    seed: int,
    batch_size: int = 256,
    deadline: Deadline | None = None,
    finished: Callable[[int], None] = lambda _: None,
) -> tuple[Nearby, tuple[str, ...]]:
    """`known` with what these attacks find anywhere in its ball, and the attacks that were not run to their end."""
    rows, unfinished, done = (known.distance > 0).nonzero()[:, 0], [], 0
    for attack in attacks:
        for batch in blocks(rows, batch_size):
            if deadline is not None and deadline.passed:
                break
            inputs, labels = target.clean[batch], target.labels[batch]
            noise = Noise(seed=seed, stage=attack.name, indices=tuple(batch.tolist()))
            origin = f"{attack.name} anywhere in {known.ball.norm}, seed {seed}"
            for points in propose(attack, target.classify, inputs, labels, known.ball, noise):
                found = judge(target, points, inputs, labels, ball=known.ball, origin=origin)
                known = known.nearer(batch, shorten(target, known.ball, batch, found, deadline), target)
            done += len(batch)
            finished(done)
        if deadline is not None and deadline.passed:
            unfinished.append(attack.name)
    return known, tuple(unfinished)


def shorten(target: Target, ball: Ball, rows: Tensor, found: Outcome, deadline: Deadline | None = None) -> Outcome:
    """The points of `found`, of the samples `rows`, projected on smaller balls as long as they are misclassified.

    The radius is bisected; a projection keeps the most of a perturbation that its norm allows.
    """
    clean, labels = target.clean[rows], target.labels[rows]
    best, high = found, ball.distance(found.inputs, clean)
    low = torch.zeros_like(high)
    for _ in range(_HALVINGS):
        if deadline is not None and deadline.passed:
            break
        middle = (low + high) / 2
        points = ball.project(found.inputs, clean, middle)
        tried = judge(target, points, clean, labels, ball=ball, origin=found.found)
        wrong = tried.broken & found.broken
        picked = wrong.nonzero()[:, 0]
        best = merge(best, [(picked, tried.of(picked))])
        low, high = torch.where(wrong, low, middle), torch.where(wrong, middle, high)
    return best
