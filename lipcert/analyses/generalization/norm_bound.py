"""What bounds from norms and margins of training samples share: the choice of the margin, and what is left of delta."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from lipcert.analyses.generalization.architecture import Architecture
from lipcert.analyses.generalization.base import NEEDS_TRAINING, QUANTILE, Evidence, Value, margin_steps, missed
from lipcert.analyses.generalization.fixed import described_at
from lipcert.records import Skipped

Gap = Callable[[int], float]
"""Exponent j of the margin 2^j -> log of what is added to the share of samples that miss it."""


def missing_norms(evidence: Evidence) -> str:
    """What every bound of this kind needs and is not there."""
    if isinstance(evidence.architecture, Skipped):
        return f"the theorem does not cover this network: {evidence.architecture.reason}"
    return NEEDS_TRAINING if evidence.training is None else ""


def known(evidence: Evidence) -> tuple[Architecture, Tensor, float]:
    """The network, the margins and the length of the training inputs, the constant entry counted."""
    assert isinstance(evidence.architecture, Architecture)
    assert evidence.training is not None
    extra = len(evidence.training) if evidence.architecture.biased else 0
    length = math.sqrt(evidence.training.length**2 + extra) * (1 + 1e-12)
    return evidence.architecture, evidence.training.margins, length


def log_one_over_delta(evidence: Evidence) -> float:
    """What is left of delta once all slopes that the activations could have, trained ones too, have their share."""
    net = evidence.architecture
    return described_at(net.activations if isinstance(net, Architecture) else ()) - math.log(evidence.failure)


def best_margin(margins: Tensor, gap: Gap) -> Value:
    """The least sum of gap and share missed over the margins 2^j.

    Where none of them is below 1, the one at the largest margin that a quarter at most of the samples with positive
    margins misses: there the value says how far from a statement the bound is, and not what it makes of no samples.
    """
    steps = margin_steps(margins)
    totals = {step: _sum(missed(margins, step), gap(step)) for step in steps}
    best = min(steps, key=lambda step: totals[step])
    if totals[best] >= 0:
        positive = margins[margins > 0]
        best = max((step for step in steps if len(positive) and missed(positive, step) <= QUANTILE), default=steps[0])
    gap_log10 = gap(best) / math.log(10)
    terms = {"samples": float(len(margins)), "margin": 2.0**best, "missed": missed(margins, best)}
    return Value(log=totals[best], terms=terms | {"log10_gap": gap_log10})


def _sum(share: float, log_gap: float) -> float:
    return log_gap if not share else _log_add(math.log(share), log_gap)


def _log_add(a: float, b: float) -> float:
    low, high = sorted((a, b))
    return high + math.log1p(math.exp(low - high))
