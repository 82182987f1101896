"""A classifier that counts what is asked of it, works in blocks of one shape, and stops when time is up."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.attacks.base import Classifier, OutOfTimeError
from lipcert.deadline import Deadline

_BLOCK = 32


@final
class Meter:
    """`classify` with two counters.

    On the CPU rows are evaluated in blocks of 32, the last one filled up: kernels of one shape treat all rows alike,
    so the logits of a sample do not depend on which others share its batch, nor on the batch size.

    gradients  rows of all backward passes
    forwards   rows of all forward passes
    """

    def __init__(self, classify: Classifier, deadline: Deadline | None = None) -> None:
        self._classify, self._deadline = classify, deadline or Deadline()
        self.gradients = self.forwards = 0

    def __call__(self, points: Tensor) -> Tensor:
        """Logits of `points`. Raises OutOfTimeError once the deadline has passed."""
        if self._deadline.passed:
            raise OutOfTimeError
        logits = self._classify(points) if points.device.type != "cpu" else self._blocks(points)
        self.forwards += len(points)
        if logits.requires_grad:
            logits.register_hook(self._count)
        return logits

    def _blocks(self, points: Tensor) -> Tensor:
        return torch.cat([self._block(part) for part in points.split(_BLOCK)]) if len(points) else points.flatten(1)

    def _block(self, part: Tensor) -> Tensor:
        if self._deadline.passed:
            raise OutOfTimeError
        missing = _BLOCK - len(part)
        if missing:
            part = torch.cat([part, part[-1:].expand(missing, *part.shape[1:])])
        return self._classify(part)[: _BLOCK - missing]

    def _count(self, gradient: Tensor) -> None:
        self.gradients += len(gradient)
