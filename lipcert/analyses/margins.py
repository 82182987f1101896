"""Margins and accuracy of the clean samples, from float64 logits."""

from __future__ import annotations

from torch import Tensor

from lipcert.analyses.base import accuracy, summarise
from lipcert.graph.scores import cross_entropy, margins
from lipcert.records import MarginRecord


def analyze_margins(logits: Tensor, labels: Tensor, *, seed: int = 0) -> MarginRecord:
    """The record of margins. A sample counts as right when its margin is positive: a tie is an error.

    logits  (N, classes), float64
    labels  (N,), int64, each in [0, classes)
    """
    margin = margins(logits, labels)
    right = margin > 0
    members = [labels == k for k in range(logits.shape[1])]
    return MarginRecord(
        samples=len(labels),
        clean_accuracy=accuracy(right),
        clean_loss=float(cross_entropy(logits, labels).mean()),
        distribution=summarise(margin, seed=seed),
        class_accuracy=tuple(accuracy(right[of]) if of.any() else None for of in members),
    )
