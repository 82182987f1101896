"""When a number of right answers says something."""

from __future__ import annotations

import torch
from scipy.special import bdtrc
from torch import Tensor

CHANCE_LEVEL = 0.025
CHANGE_LEVEL = 0.01


def tail(successes: int, trials: int, probability: float) -> float:
    """Chance of at least `successes` in `trials` independent draws."""
    return 1.0 if successes <= 0 else float(bdtrc(successes - 1, trials, probability))


def chance_accuracy(predictions: Tensor, labels: Tensor, classes: int) -> float:
    """Accuracy that the same predictions would have if they were dealt out without regard to the labels.

    This is Cohen's expected agreement. A model that always answers the commonest class is at chance by it, which
    1 / classes would miss. With a single label it says nothing, and 1 / classes takes its place.
    """
    if bool((labels == labels[0]).all()):
        return 1 / classes
    valid = predictions.clamp(min=0)
    shares = torch.stack([torch.bincount(v, minlength=classes)[:classes].double() for v in (valid, labels)])
    return float((shares[0] * shares[1]).sum() / len(labels) ** 2)


def is_chance(right: int, trials: int, chance: float) -> bool:
    """Whether so many right answers are within, or below, the 95 % binomial interval of chance."""
    return tail(right, trials, chance) > CHANCE_LEVEL


def is_better(candidate: Tensor, current: Tensor, tries: int) -> bool:
    """Sign test on the samples where only one is right, at 1 % over all `tries` together (Bonferroni).

    candidate, current  (N,), bool: whether each sample is classified rightly
    """
    wins = int((candidate & ~current).sum())
    losses = int((current & ~candidate).sum())
    return tail(wins, wins + losses, 0.5) < CHANGE_LEVEL / max(tries, 1)
