"""Do the Jacobian's numbers rank the samples as margins and attacks do?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lipcert.records import CorrelationRecord

_RESAMPLES = 500
_CHUNK = 4_000_000
_LEVELS = torch.tensor([0.025, 0.975], dtype=torch.float64)


def correlations(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], *, seed: int = 0
) -> tuple[CorrelationRecord, ...]:
    """Spearman's correlation of each column of `first` with each of `second`; a constant column has none."""
    ranked = {name: ranks(column) for name, column in (*first.items(), *second.items())}
    return tuple(
        _record(one, other, ranked[one], ranked[other], seed)
        for one in first
        for other in second
        if _varies(ranked[one]) and _varies(ranked[other])
    )


def ranks(values: Tensor) -> Tensor:
    """Rank of each value, shape (N,), in float64; equal values share the mean of their ranks. Infinity may occur."""
    _, inverse, counts = torch.unique(values.detach().cpu(), sorted=True, return_inverse=True, return_counts=True)
    last = counts.cumsum(dim=0).to(torch.float64)
    mean: Tensor = last - (counts - 1).to(torch.float64) / 2
    return mean[inverse]


def _varies(ranked: Tensor) -> bool:
    return bool((ranked != ranked[:1]).any())


def _pearson(first: Tensor, second: Tensor) -> Tensor:
    """Along the last axis; 0 where either is constant."""
    a, b = first - first.mean(dim=-1, keepdim=True), second - second.mean(dim=-1, keepdim=True)
    scale = (a.square().sum(dim=-1) * b.square().sum(dim=-1)).sqrt()
    return ((a * b).sum(dim=-1) / torch.where(scale > 0, scale, 1.0)).clamp(-1.0, 1.0)


def _record(one: str, other: str, first: Tensor, second: Tensor, seed: int) -> CorrelationRecord:
    """The interval resamples pairs of ranks and does not rank again."""
    generator, found = torch.Generator().manual_seed(seed), []
    rows = max(1, _CHUNK // len(first))
    for start in range(0, _RESAMPLES, rows):
        index = torch.randint(len(first), (min(rows, _RESAMPLES - start), len(first)), generator=generator)
        found.append(_pearson(first[index], second[index]))
    low, high = torch.quantile(torch.cat(found), _LEVELS).tolist()
    value = float(_pearson(first, second))
    return CorrelationRecord(first=one, second=other, samples=len(first), value=value, ci95=(low, max(low, high)))
