"""Sampling error: intervals for shares and means, and the comparison of two models on the same samples."""

from __future__ import annotations

import torch
from scipy import special
from torch import Tensor

from lipcert.records.sampling import PairedRecord, SamplingRecord

_RESAMPLES = 1000
_CHUNK = 4_000_000


def sampling_record(right: Tensor, loss: Tensor, *, confidence: float = 0.95, seed: int = 0) -> SamplingRecord:
    """Both intervals of one attack's result: `right`, bool (N,), and `loss`, (N,), N > 0."""
    return SamplingRecord(
        samples=len(right),
        confidence=confidence,
        robust_accuracy=binomial_interval(int(right.sum()), len(right), confidence),
        robust_loss=bootstrap_interval(loss, confidence, seed=seed),
    )


def binomial_interval(count: int, samples: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a share: each end fails with probability at most (1 - confidence) / 2.

    Source: Clopper & Pearson, Biometrika 26 (1934).
    """
    side = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(special.betaincinv(count, samples - count + 1, side))
    high = 1.0 if count == samples else float(special.betaincinv(count + 1, samples - count, 1 - side))
    return low, high


def bootstrap_interval(values: Tensor, confidence: float = 0.95, *, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of `values`, shape (N,), from a generator of its own.

    Source: Efron, Annals of Statistics 7 (1979). It is approximate, and too short where few values carry the mean.
    """
    values = values.detach().to("cpu", torch.float64)
    generator = torch.Generator().manual_seed(seed)
    rows = max(1, _CHUNK // len(values))
    means = []
    for start in range(0, _RESAMPLES, rows):
        shape = (min(rows, _RESAMPLES - start), len(values))
        means.append(values[torch.randint(len(values), shape, generator=generator)].mean(dim=1))
    side = (1 - confidence) / 2
    levels = torch.tensor([side, 1 - side], dtype=torch.float64)
    low, high = torch.quantile(torch.cat(means), levels).tolist()
    return low, max(low, high)


def compare_paired(first: Tensor, second: Tensor) -> PairedRecord:
    """Exact McNemar test on two masks of samples that are right, shape (N,): the same samples, in the same order.

    Only samples on which the models differ tell anything. Were neither better, each would fall to either side like
    a fair coin, so the smaller count is binomial with probability 1/2.

    Source: McNemar, Psychometrika 12 (1947), in its exact binomial form.
    """
    if first.shape != second.shape:
        raise ValueError(f"masks of the same samples are needed, got {tuple(first.shape)} and {tuple(second.shape)}")
    first, second = first.bool().cpu(), second.bool().cpu()
    one, other = int((first & ~second).sum()), int((~first & second).sum())
    return PairedRecord(
        samples=len(first),
        both=int((first & second).sum()),
        only_first=one,
        only_second=other,
        neither=int((~first & ~second).sum()),
        p_value=_coin(min(one, other), one + other),
    )


def _coin(fewer: int, tosses: int) -> float:
    """Probability that a fair coin splits at least as unevenly."""
    return 1.0 if 2 * fewer >= tosses else min(1.0, 2 * float(special.bdtr(fewer, tosses, 0.5)))
