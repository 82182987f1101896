"""What a search keeps of the points it meets: the worst, and the nearest that are misclassified."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.attacks.ball import Ball
from lipcert.graph.scores import error_log_odds, margins

_ROUNDING = 1e-5


@final
class Worst:
    """The worst points met in a search, per sample: one with the smallest margin, one with the largest loss.

    margin  smallest margin so far, shape (N,)
    """

    def __init__(self, clean: Tensor, labels: Tensor) -> None:
        self._labels = labels
        self._by_margin, self._by_loss = clean.clone(), clean.clone()
        self.margin = torch.full((len(clean),), torch.inf, device=clean.device, dtype=torch.float64)
        self._odds = -self.margin
        self._scale = torch.zeros_like(self.margin)

    def update(self, rows: Tensor, points: Tensor, logits: Tensor) -> None:
        """Take in `points` of the samples `rows` with their logits. Comparisons with NaN keep what was there."""
        labels, logits = self._labels[rows], logits.detach().to(torch.float64)
        margin, odds = margins(logits, labels), error_log_odds(logits, labels)
        self._scale[rows] = torch.maximum(self._scale[rows], logits.abs().amax(dim=1))
        lower, higher = margin < self.margin[rows], odds > self._odds[rows]
        self.margin[rows[lower]], self._by_margin[rows[lower]] = margin[lower], points[lower]
        self._odds[rows[higher]], self._by_loss[rows[higher]] = odds[higher], points[higher]

    def merge(self, rows: Tensor, others: Worst) -> None:
        """Take in what `others` met: its rows are those samples, once or several times over."""
        for part in torch.arange(len(others.margin), device=rows.device).split(len(rows)):
            margin, odds = others.margin[part], others._odds[part]
            self._scale[rows] = torch.maximum(self._scale[rows], others._scale[part])
            lower, higher = margin < self.margin[rows], odds > self._odds[rows]
            self.margin[rows[lower]], self._by_margin[rows[lower]] = margin[lower], others._by_margin[part[lower]]
            self._odds[rows[higher]], self._by_loss[rows[higher]] = odds[higher], others._by_loss[part[higher]]

    def points(self) -> Tensor:
        """Both candidates of each sample, shape (2, N, *input_shape)."""
        return torch.stack([self._by_margin, self._by_loss])

    def standing(self, rows: Tensor) -> Tensor:
        """Those of `rows` not yet misclassified by more than rounding, which the file's own runtime may undo."""
        return rows[~(self.margin[rows] <= -_ROUNDING * self._scale[rows])]


@final
class Nearest:
    """The misclassified point of a ball nearest to its clean sample met in a search; the latter where there is none.

    distance  of it in the ball's norm, shape (N,), float64; infinity where there is none
    points    (N, *input_shape)
    """

    def __init__(self, clean: Tensor, labels: Tensor, ball: Ball) -> None:
        self._clean, self._labels, self._ball = clean, labels, ball
        self.points = clean.clone()
        self.distance = torch.full((len(clean),), torch.inf, device=clean.device, dtype=torch.float64)

    def update(self, rows: Tensor, points: Tensor, logits: Tensor) -> Tensor:
        """Take in `points` of the samples `rows`; returns which of them are misclassified, a tie included."""
        wrong = margins(logits.detach().to(torch.float64), self._labels[rows]) <= 0
        distance = self._ball.distance(points, self._clean[rows])
        nearer = wrong & (distance < self.distance[rows]) & (distance <= self._ball.eps)
        self.distance[rows[nearer]], self.points[rows[nearer]] = distance[nearer], points[nearer]
        return wrong
