"""What a search climbs, and the rival classes worth a search of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from lipcert.attacks.ball import Ball
from lipcert.attacks.base import Classifier, Objective
from lipcert.graph.scores import error_log_odds, margins

Loss = Literal["ce", "margin", "dlr", "targeted", "targeted-dlr"]
LOSSES: tuple[Loss, ...] = ("ce", "margin", "dlr", "targeted", "targeted-dlr")
TARGETED: tuple[Loss, ...] = ("targeted", "targeted-dlr")
_AMONG = 9


def objective(loss: Loss, labels: Tensor, rivals: Tensor) -> Objective:
    """The function of the logits that a search climbs; `rivals` are the classes that targeted losses pull towards.

    ce      the log-odds of an error: it rises where the cross-entropy does, and does not saturate
    margin  the best other logit less the true one
    dlr     the margin over the spread of the three largest logits; the margin itself where there are two classes.
            The targeted form, over the spread of the largest and the mean of the third and fourth, needs four

    Source: Croce & Hein, arXiv 2003.01690, for the last.
    """
    forms: dict[Loss, Callable[[Tensor], Tensor]] = {
        "ce": lambda logits: error_log_odds(logits, labels),
        "margin": lambda logits: -margins(logits, labels),
        "dlr": lambda logits: -margins(logits, labels) / _spread(logits, (2,)),
        "targeted": lambda logits: _pull(logits, labels, rivals),
        "targeted-dlr": lambda logits: _pull(logits, labels, rivals) / _spread(logits, (2, 3)),
    }
    return forms[loss]


def _pull(logits: Tensor, labels: Tensor, rivals: Tensor) -> Tensor:
    return logits.gather(1, rivals[:, None])[:, 0] - logits.gather(1, labels[:, None])[:, 0]


def _spread(logits: Tensor, ranks: tuple[int, ...]) -> Tensor | float:
    if logits.shape[1] <= max(ranks):
        return 1.0
    ordered = logits.sort(dim=1, descending=True).values
    spread = ordered[:, 0] - ordered[:, list(ranks)].mean(dim=1)
    return spread.clamp_min(torch.finfo(logits.dtype).tiny)


def rank_rivals(classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball) -> Tensor:
    """Other classes of each sample, the nearest first, shape (N, min(classes - 1, 9)).

    Near is a small (z_y - z_j) / ||grad (z_y - z_j)|| in the dual norm: the distance of the boundary were the network
    linear. The nine likeliest classes are ranked, at one gradient each.
    """
    x = clean.detach().requires_grad_()
    with torch.enable_grad():
        logits = classify(x)
    others = logits.detach().scatter(1, labels[:, None], -torch.inf)
    likely = others.argsort(dim=1, descending=True, stable=True)[:, : min(logits.shape[1] - 1, _AMONG)]
    if likely.shape[1] == 1 or not logits.requires_grad:
        return likely
    distances = []
    for rivals in likely.T:
        pull = _pull(logits, labels, rivals)
        (gradient,) = torch.autograd.grad(pull.sum(), x, retain_graph=True, materialize_grads=True)
        slope = (gradient * ball.steepest(gradient)).flatten(1).sum(dim=1).to(torch.float64)
        distances.append(-pull.detach().to(torch.float64) / slope.clamp_min(torch.finfo(torch.float64).tiny))
    nearest = torch.stack(distances, dim=1).nan_to_num(nan=torch.inf).argsort(dim=1, stable=True)
    return likely.gather(1, nearest)


def rivals_in_turn(  # noqa: PLR0917  the batch, as `perturb` has it
    loss: Loss, most: int, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball
) -> Tensor:
    """Classes that a targeted loss is climbed for one after the other, shape (k, N); one row no other loss reads."""
    return rank_rivals(classify, clean, labels, ball)[:, :most].T if loss in TARGETED else labels[None]


def first_order_distance(logits: Tensor, gradient: Tensor, labels: Tensor, ball: Ball) -> Tensor:
    """Margin over the dual norm of the gradient of what is climbed, shape (N,), float64; infinity where that is 0."""
    slope = (gradient * ball.steepest(gradient)).flatten(1).sum(dim=1).to(torch.float64)
    distance = margins(logits.to(torch.float64), labels).clamp_min(0.0) / slope
    return distance.nan_to_num(nan=0.0, posinf=torch.inf)
