"""CLEVER: the local Lipschitz constant of a margin, guessed from the largest of many sampled gradients.

In a ball around a sample, gradients of z_y - z_j are drawn in batches. The largest dual norm of each batch, as a
maximum of many draws with a finite end, is taken to follow a reverse Weibull law, whose location is the guess of that
end: the constant L_j. The score of the sample is the minimum over j of (z_y - z_j) / L_j, at most the ball's radius.

An ESTIMATE. It can be too large (a gradient that is steep in a place nobody drew from, and masked gradients above
all: Goodfellow, arXiv 1804.07870) and proves nothing; no certificate reads it.

Source: Weng, Zhang, Chen, Yi, Su, Gao, Hsieh, Daniel, ICLR 2018 (arXiv 1801.10578), algorithm 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from scipy import optimize, stats
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.graph import Graph
from lipcert.graph.jacobian import jacobians
from lipcert.records import CleverRecord, Norm

METHOD = "CLEVER: reverse Weibull fit to the largest sampled gradients"
_DUAL: dict[Norm, float] = {"l2": 2.0, "linf": 1.0, "l1": math.inf}
_LEVEL = 0.05
_SHAPES = (1.0, 200.0)  # below 1 the likelihood has no maximum
_STEPS = 60


@final
@dataclass(frozen=True, slots=True)
class Weibull:
    """A reverse Weibull law P(X <= x) = exp(-((location - x) / scale)^shape) for x <= location."""

    location: float
    scale: float
    shape: float

    def fits(self, values: np.ndarray) -> bool:
        """Whether a Kolmogorov-Smirnov test leaves it standing."""
        if self.scale <= 0.0:
            return True
        law = stats.weibull_max(self.shape, loc=self.location, scale=self.scale)
        return bool(stats.kstest(values, law.cdf).pvalue >= _LEVEL)


def fit(values: np.ndarray) -> Weibull:
    """The likeliest reverse Weibull law of some maxima, its shape at least 1.

    The likelihood is maximised over the location on a grid, the shape by a root of its score at each. Where all maxima
    are equal but for rounding, they are the location.
    """
    top, spread = float(values.max()), float(values.max() - values.min())
    if spread <= 1e-9 * abs(top):
        return Weibull(top, 0.0, 1.0)
    found = [_at(values, top + spread * 10.0**step) for step in np.linspace(-4.0, 1.0, _STEPS)]
    return max(found, key=lambda pair: pair[0])[1]


def _at(values: np.ndarray, location: float) -> tuple[float, Weibull]:
    """(log-likelihood, law) of the best law with this location."""
    gaps = location - values
    logs = np.log(gaps / gaps.max())

    def score(shape: float) -> float:
        powers = np.exp(shape * logs)
        return float((powers * logs).sum() / powers.sum() - 1.0 / shape - logs.mean())

    low, high = _SHAPES
    shape = low if score(low) > 0 else high if score(high) < 0 else float(optimize.brentq(score, low, high))
    scale = float(gaps.max() * np.exp(shape * logs).mean() ** (1.0 / shape))
    ratios = gaps / scale
    likelihood = len(values) * math.log(shape / scale) + float(((shape - 1) * np.log(ratios) - ratios**shape).sum())
    return likelihood, Weibull(location, scale, shape)


def clever(
    graph: Graph,
    inputs: Tensor,
    labels: Tensor,
    norm: Norm,
    eps: float,
    *,
    batches: int = 40,
    draws: int = 50,
    seed: int = 0,
) -> tuple[CleverRecord, list[float]]:
    """The record of all samples, and the score of each.

    inputs  (N, *input_shape), N > 0
    """
    generator = torch.Generator().manual_seed(seed)
    logits = graph(inputs.to(device=graph.device, dtype=graph.dtype)).detach()
    constants, scores, fits = [], [], []
    for x, label, score in zip(inputs, labels.tolist(), logits, strict=True):
        balls = (_drawn(x, norm, eps, draws, generator) for _ in range(batches))
        maxima = np.stack([_largest(graph, points, label, norm) for points in balls])
        laws = {rival: fit(maxima[:, rival]) for rival in range(graph.classes) if rival != label}
        fits += [law.fits(maxima[:, rival]) for rival, law in laws.items()]
        reach = {j: float(score[label] - score[j]) / max(law.location, 1e-300) for j, law in laws.items()}
        decides = min(reach, key=lambda rival: reach[rival])
        constants.append(laws[decides].location)
        scores.append(min(eps, max(0.0, reach[decides])))
    record = CleverRecord(
        norm=norm,
        eps=eps,
        samples=len(inputs),
        batches=batches,
        draws=draws,
        constant=summarise(torch.tensor(constants, dtype=torch.float64), seed=seed),
        radius=summarise(torch.tensor(scores, dtype=torch.float64), seed=seed),
        fitted=sum(fits) / max(1, len(fits)),
        method=METHOD,
    )
    return record, scores


def _largest(graph: Graph, points: Tensor, label: int, norm: Norm) -> np.ndarray:
    """The largest dual norm of the gradient of z_label - z_j over some points, for each j."""
    there = jacobians(graph, points, batch_size=len(points)).double()
    sizes = torch.linalg.vector_norm(there[:, label : label + 1] - there, _DUAL[norm], dim=2)
    largest: np.ndarray = sizes.amax(dim=0).cpu().numpy()
    return largest


def _drawn(x: Tensor, norm: Norm, eps: float, count: int, generator: torch.Generator) -> Tensor:
    """Uniform points of the ball, (count, *shape).

    In l2 a direction times a power of a uniform number; in l1 exponential draws over their sum with one more.
    """
    size = x.numel()
    if norm == "linf":
        step = 2 * torch.rand(count, size, generator=generator, dtype=torch.float64) - 1
    else:
        step = torch.randn(count, size, generator=generator, dtype=torch.float64)
        if norm == "l2":
            away = torch.rand(count, 1, generator=generator, dtype=torch.float64) ** (1.0 / size)
            step = step / step.norm(dim=1, keepdim=True) * away
        else:
            drawn = -torch.rand(count, size + 1, generator=generator, dtype=torch.float64).clamp_min(1e-300).log()
            step = step.sign() * drawn[:, :size] / drawn.sum(1, keepdim=True)
    moved: Tensor = x.detach().to("cpu", torch.float64) + eps * step.reshape(count, *x.shape)
    return moved.to(x.device)
