"""What analyses share: spreads over samples, float64 logits, and the constants certificates rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import torch
from scipy import special
from torch import Tensor

from lipcert.graph import Graph
from lipcert.records import Distribution, Norm, Soundness

PRODUCT = "product of layer norms"
"""How the constants that multiply the norms of layers are called."""

_BINS = 20
_RESAMPLES = 1000
_QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)
_INTERVALS = {"q05": 0.05, "median": 0.5, "q95": 0.95}
_TAIL = 0.025
_CHUNK = 4_000_000
_KEPT = 4000  # samples up to which resamples are drawn once for all columns


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UpperConstants:
    """Upper bounds on Lipschitz constants of the real-arithmetic network, `norm` to `norm`, each one certified.

    whole        of inputs -> logits
    before_last  of inputs -> what the last node reads, when that node is affine; None when it is not, or not known
    pairs        of each difference of two logits, from `norm` to numbers, shape (classes, classes); None if not known
    """

    norm: Norm
    whole: float | None
    before_last: float | None = None
    pairs: Tensor | None = None
    method: str
    soundness: Soundness
    failure_probability: float = 0.0


def summarise(values: Tensor, *, seed: int = 0) -> Distribution:
    """The spread of finite `values`, shape (N,), N > 0; the bootstrap draws from a generator of its own."""
    values = values.detach().to("cpu", torch.float64)
    levels = torch.tensor(_QUANTILES, dtype=torch.float64)
    # Interpolation may overshoot by a rounding; a running maximum puts the quantiles back in order.
    low, q05, median, q95, high = torch.quantile(values, levels).cummax(0).values.tolist()
    return Distribution(
        samples=len(values),
        mean=float(values.mean()),
        std=float(values.std(correction=0)),
        min=low,
        q05=q05,
        median=median,
        q95=q95,
        max=high,
        ci95=_bootstrap_mean(values, seed),
        counts=_histogram(values, low, high),
        quantile_ci95=_quantile_intervals(values),
    )


def _quantile_intervals(values: Tensor) -> dict[str, tuple[float, float]]:
    """Distribution-free 95 % intervals of the population's quantiles, from order statistics.

    The number B of samples below the q-quantile is binomial(N, q), and the quantile is between the l-th and the u-th
    smallest sample unless B < l or B >= u; each has probability 2.5 % at most. No entry where N is too small for it.

    Source: David, Nagaraja, Order Statistics, 3rd edition, section 7.1.
    """
    ordered = values.sort().values
    return {
        name: (float(ordered[first - 1]), float(ordered[last - 1]))
        for name, (first, last) in _places(len(values)).items()
    }


@lru_cache(maxsize=8)
def _places(count: int) -> dict[str, tuple[int, int]]:
    """The l and u of so many samples, by the quantile's name."""
    found = {}
    for name, level in _INTERVALS.items():
        below = special.bdtr(range(count + 1), count, level)
        first, last = int((below < _TAIL).sum()), int((below < 1 - _TAIL).sum()) + 1
        if first >= 1 and last <= count:
            found[name] = first, last
    return found


def _bootstrap_mean(values: Tensor, seed: int) -> tuple[float, float]:
    """Percentile bootstrap 95 % interval of the mean."""
    count = len(values)
    if count <= _KEPT:
        means = (_draws(count, seed) @ values) / count
    else:
        generator, rows = torch.Generator().manual_seed(seed), max(1, _CHUNK // count)
        shapes = [(min(rows, _RESAMPLES - start), count) for start in range(0, _RESAMPLES, rows)]
        parts = [values[torch.randint(count, shape, generator=generator)].mean(dim=1) for shape in shapes]
        means = torch.cat(parts)
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, max(low, high)


@lru_cache(maxsize=2)
def _draws(count: int, seed: int) -> Tensor:
    """How often each of `count` samples is in each resample, (resamples, count): one draw serves every column."""
    generator = torch.Generator().manual_seed(seed)
    index = torch.randint(count, (_RESAMPLES, count), generator=generator)
    times = torch.zeros(_RESAMPLES, count, dtype=torch.float64)
    return times.scatter_add_(1, index, torch.ones_like(times))


def _histogram(values: Tensor, low: float, high: float) -> tuple[int, ...]:
    if not math.isfinite(high - low) or high == low:
        return (len(values),)
    return tuple(int(count) for count in torch.histc(values, bins=_BINS, min=low, max=high).tolist())


def accuracy(right: Tensor) -> float:
    """Share of true entries of a mask."""
    return int(right.sum()) / max(len(right), 1)


def logits_of(graph: Graph, inputs: Tensor, *, batch_size: int = 256) -> Tensor:
    """Logits in the dtype and on the device of `graph`, without a gradient, shape (N, classes)."""
    with torch.no_grad():
        starts = range(0, len(inputs), batch_size)
        parts = [graph(inputs[s : s + batch_size].to(device=graph.device, dtype=graph.dtype)) for s in starts]
    return torch.cat(parts)


def eps_space(input_range: tuple[float, float] | None) -> str:
    """Where and in what units a radius is measured, in words."""
    if input_range is None:
        return "data units, before mean/std, not clipped"
    return f"data units, input range [{input_range[0]:g}, {input_range[1]:g}], before mean/std"
