"""How much Gaussian noise on its weights a network bears: the sigma of the PAC-Bayes flatness measures.

sigma is the standard deviation at which the mean training accuracy over ten noises has dropped by 0.1, to within 0.01,
found by bisection of [0, 2] in at most 15 steps. Noise is added to every weight and bias, batch norms folded in:

    plain             N(0, sigma^2) on each entry
    magnitude-aware   N(0, sigma^2 w^2 + 0.001^2) on an entry w

The ten noises are drawn once and scaled, so that sigma is a function of the seed. It is a search with a finite number
of noises: heuristic. (The published code hands sigma^2 to a generator that expects a standard deviation; here sigma is
the standard deviation, as in the papers.)

Source: Jiang et al., ICLR 2020, appendix C; Dziugaite et al., NeurIPS 2020, and its code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, final

import torch
from torch import Generator, Tensor

from lipcert.analyses.generalization.posterior_weights import Weights, error_rate, pass_seconds, weights_of
from lipcert.deadline import Deadline
from lipcert.graph import Graph
from lipcert.progress import Progress, silent
from lipcert.records import Effort, Skipped
from lipcert.samples import Samples

Spread: TypeAlias = Callable[[Tensor, float], Tensor]
"""Weights and sigma -> standard deviation of the noise on each weight."""

LARGEST = 2.0
DROP, TOLERANCE = 0.1, 0.01
NOISES, HALVINGS = 10, 15
FLOOR = 1e-3  # standard deviation of the magnitude-aware noise on a weight of 0
_LEAST = 50
SECONDS: dict[Effort, float] = {"fast": 0.0, "default": 5.0, "high": 60.0}  # nominal: the same on every machine


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flatness:
    """Standard deviations of the noise that costs a tenth of the accuracy, at most 2; `samples` they were found on."""

    sigma: float
    magnitude_sigma: float
    samples: int


def flatness(
    graph: Graph,
    training: Samples,
    *,
    effort: Effort = "default",
    seed: int = 0,
    batch_size: int = 256,
    deadline: Deadline | None = None,
    progress: Progress = silent,
) -> Flatness | Skipped:
    """Both standard deviations, on as many training samples, evenly through the file, as the effort pays for."""
    weights = weights_of(graph.to(device="cpu"))
    if isinstance(weights, Skipped):
        return weights
    assert training.labels is not None
    used = _affordable(weights, len(training), effort)
    if not len(used):
        return Skipped(reason=f"noise on the weights costs more than effort {effort} allows")
    data = Samples(inputs=training.inputs[used].to("cpu", torch.float32), labels=training.labels[used].cpu())
    clean = 1 - error_rate(weights, weights.start, data, batch_size)
    end, found = deadline or Deadline(), []
    noisy = _Noisy(weights, data, batch_size=batch_size, seed=seed, progress=progress)
    for spread in (_plain, _by_magnitude):
        sigma = noise_for_drop(partial(noisy.accuracy, spread), clean, end)
        if sigma is None:
            return Skipped(reason="no time was left for noise on the weights")
        found.append(sigma)
    noisy.finish()
    return Flatness(sigma=found[0], magnitude_sigma=found[1], samples=len(data))


@final
class _Noisy:
    """A network under noise on its weights, with a count of how often it was evaluated."""

    _PASSES = 2 * HALVINGS * NOISES

    def __init__(self, weights: Weights, data: Samples, *, batch_size: int, seed: int, progress: Progress) -> None:
        self._weights, self._data, self._size, self._seed = weights, data, batch_size, seed
        self._progress, self._done = progress, 0

    def accuracy(self, spread: Spread, sigma: float) -> float:
        """Mean over the ten noises, the same for every sigma but for their scale."""
        generator, rates = Generator().manual_seed(self._seed), []
        for _ in range(NOISES):
            self._progress("flatness", self._done, self._PASSES)
            noise = self._weights.noise(generator)
            start = self._weights.start.items()
            moved = {name: tensor + spread(tensor, sigma) * noise[name] for name, tensor in start}
            rates.append(1 - error_rate(self._weights, moved, self._data, self._size))
            self._done += 1
        return sum(rates) / NOISES

    def finish(self) -> None:
        """Tell that no more is to come."""
        self._progress("flatness", self._PASSES, self._PASSES)


def noise_for_drop(accuracy: Callable[[float], float], clean: float, deadline: Deadline | None = None) -> float | None:
    """The sigma in [0, 2] at which `accuracy` is a tenth below `clean`, to within 0.01; None when time is up.

    2 where no noise up to there costs as much.
    """
    low, high = 0.0, LARGEST
    for _ in range(HALVINGS):
        if deadline is not None and deadline.passed:
            return None
        sigma = (low + high) / 2
        drop = abs(accuracy(sigma) - clean)
        if abs(drop - DROP) < TOLERANCE:
            return sigma
        low, high = (low, sigma) if drop > DROP else (sigma, high)
    return (low + high) / 2


def _plain(weight: Tensor, sigma: float) -> Tensor:
    return torch.full_like(weight, sigma)


def _by_magnitude(weight: Tensor, sigma: float) -> Tensor:
    return (sigma**2 * weight**2 + FLOOR**2).sqrt()


def _affordable(weights: Weights, samples: int, effort: Effort) -> Tensor:
    """Which samples: all, or as many as the nominal seconds pay for, none where these are too few."""
    passes = 2 * HALVINGS * NOISES
    fixed = passes * pass_seconds(len(weights), 0)
    each = passes * (pass_seconds(0, weights.multiplications()) - pass_seconds(0, 0))
    count = samples if not each else min(samples, max(0, int((SECONDS[effort] - fixed) / each)))
    if SECONDS[effort] < fixed or count < min(_LEAST, samples):
        return torch.zeros(0, dtype=torch.long)
    return torch.linspace(0, samples - 1, count, dtype=torch.float64).round().long()
