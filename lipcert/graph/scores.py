"""What a row of logits says about one label: margin and cross-entropy, without cancellation."""

from __future__ import annotations

import torch
from torch import Tensor


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """True-class logit minus the best other, shape (N,). A tie is 0, and counts as an error everywhere."""
    return _true(logits, labels) - _others(logits, labels).amax(dim=1)


def error_log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """log((1 - p_y) / p_y) of the softmax, shape (N,), as logsumexp over the other classes less the true logit.

    It rises exactly where the cross-entropy rises, and its gradient, the cross-entropy's divided by 1 - p_y, does
    not underflow on a confident classifier, where that of the cross-entropy is zero in floating point.
    """
    return _others(logits, labels).logsumexp(dim=1) - _true(logits, labels)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-log p_y in nats, shape (N,), as log(1 + exp(error_log_odds)): exact down to the smallest positive float."""
    odds = error_log_odds(logits, labels)
    return torch.logaddexp(odds, torch.zeros_like(odds))


def _true(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.gather(1, labels[:, None])[:, 0]


def _others(logits: Tensor, labels: Tensor) -> Tensor:
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"logits must have shape (N, classes) with two classes or more, got {tuple(logits.shape)}")
    return logits.scatter(1, labels[:, None], -torch.inf)
