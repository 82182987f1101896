"""A Gaussian over a network's weights, moved and widened until its PAC-Bayes bound is low."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Generator, Tensor

from lipcert.analyses.generalization.posterior_bound import gaussian_divergence, largest_rate
from lipcert.analyses.generalization.posterior_weights import Weights
from lipcert.deadline import Deadline

PRIORS = 321
"""Standard deviations a tensor's prior may have: 2^(j / 16) for j from -160 to 160."""

_WIDTH = 0.6  # first standard deviation of the noise, over that of the tensor's weights
_LEAST_WIDTH = 1e-3
_RATE = 0.01
_NOISE_RATE = 5.0  # how much faster the logarithms of the deviations move than the means
_BATCH = 256
_MEMORY = 0.95
_LOWEST, _HIGHEST = 1e-3, 0.98  # of the training error that the two terms are weighed at


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Posterior:
    """Independent Gaussians with these means and standard deviations, flat, by tensor."""

    mean: dict[str, Tensor]
    std: dict[str, Tensor]

    def draw(self, weights: Weights, generator: Generator) -> dict[str, Tensor]:
        """The weights of one random network, in their shapes."""
        noise = weights.noise(generator)
        return {
            name: (self.mean[name] + self.std[name] * noise[name].flatten()).reshape(noise[name].shape)
            for name in noise
        }

    def divergence(self, centre: dict[str, Tensor]) -> float:
        """Upper bound on KL from the best prior of the grid, one standard deviation a tensor, without its price."""
        grid = prior_grid()
        parts = [
            gaussian_divergence(
                mean.double() - centre[name].flatten().double(), self.std[name].double().log(), grid
            ).min()
            for name, mean in self.mean.items()
        ]
        return float(torch.stack(parts).sum()) * (1 + 1e-12)


def prior_grid() -> Tensor:
    """Logarithms of the standard deviations a prior may have, shape (PRIORS,)."""
    return torch.arange(-(PRIORS // 2), PRIORS // 2 + 1, dtype=torch.float64) * (math.log(2) / 16)


def search(
    weights: Weights,
    centre: dict[str, Tensor],
    inputs: Tensor,
    labels: Tensor,
    *,
    price: float,
    steps: int,
    generator: Generator,
    done: Callable[[int], None],
    deadline: Deadline | None = None,
) -> tuple[Posterior, int]:
    """The distribution and the steps made, by stochastic gradients; the error is the probability of a wrong class.

    Every step draws one network and up to 256 samples. The gradient of p(q, c), where kl(q || p) = c, is a positive
    multiple of -d kl / d q times that of q plus that of c; the multiple does not matter to Adam.

    price     what is added to KL before it is divided by the number of samples
    deadline  the steps are cut short so that the last ones, which are small, are still made in time
    """
    free = _Free(weights, centre)
    optimiser = free.optimiser()
    pace, error, made = _Pace(steps, deadline or Deadline()), 0.5, 0
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, pace.rate)
    while pace.gone(made) < 1:
        done(made)
        made += 1
        rows = torch.randint(len(inputs), (min(_BATCH, len(inputs)),), generator=generator)
        surrogate = _wrong(weights.logits(free.draw(generator), inputs[rows]), labels[rows])
        divergence = free.divergence()
        seen = float(surrogate.detach())
        error = _MEMORY * error + (1 - _MEMORY) * (seen if math.isfinite(seen) else 1.0)
        weight = _weight(error, (float(divergence.detach()) + price) / len(inputs))
        optimiser.zero_grad()
        (weight * surrogate + divergence / len(inputs)).backward()
        free.mend()
        optimiser.step()
        schedule.step()
    return free.fixed(), made


@final
class _Pace:
    """How much of a search is over: of its steps, or of its time where that is more."""

    def __init__(self, steps: int, deadline: Deadline) -> None:
        self._steps, self._deadline, self._left = steps, deadline, deadline.left

    def gone(self, step: int) -> float:
        """The share, from 0 to 1."""
        timed = 0.0 if math.isinf(self._left) else 1 - self._deadline.left / self._left if self._left else 1.0
        return max(step / self._steps, timed)

    def rate(self, step: int) -> float:
        """What the learning rate is multiplied by: a half cosine."""
        return (1 + math.cos(math.pi * min(1.0, self.gone(step)))) / 2


@final
class _Free:
    """Means and logarithms of standard deviations of all weights in a row, with gradients."""

    def __init__(self, weights: Weights, centre: dict[str, Tensor]) -> None:
        self._shapes = {name: tensor.shape for name, tensor in weights.start.items()}
        self._sizes = [tensor.numel() for tensor in weights.start.values()]
        self._centre = torch.cat([centre[name].flatten() for name in self._shapes])
        self.mean = torch.cat([tensor.flatten() for tensor in weights.start.values()]).requires_grad_()
        widths = [torch.full((tensor.numel(),), _first(tensor)) for tensor in weights.start.values()]
        self.log_std = torch.cat(widths).requires_grad_()

    def draw(self, generator: Generator) -> dict[str, Tensor]:
        """The weights of one random network, differentiable."""
        flat = self.mean + self.log_std.exp() * torch.randn(self.mean.shape, generator=generator)
        parts = zip(self._shapes.items(), flat.split(self._sizes), strict=True)
        return {name: part.view(shape) for (name, shape), part in parts}

    def divergence(self) -> Tensor:
        """KL from the best prior of each tensor, as if its standard deviation could be any number.

        The best variance t^2 is the mean of s^2 + shift^2, and there KL = 1/2 (d log t^2 - sum log s^2).
        """
        energy = ((2 * self.log_std).exp() + (self.mean - self._centre) ** 2).split(self._sizes)
        return 0.5 * torch.stack([len(part) * part.mean().log() for part in energy]).sum() - self.log_std.sum()

    def optimiser(self) -> torch.optim.Adam:
        """Adam, with its own rate for the deviations."""
        groups: list[dict[str, Any]] = [{"params": [self.mean]}, {"params": [self.log_std], "lr": _RATE * _NOISE_RATE}]
        return torch.optim.Adam(groups, lr=_RATE)

    def mend(self) -> None:
        """Put 0 where a gradient is no number."""
        for parameter in (self.mean, self.log_std):
            assert parameter.grad is not None
            parameter.grad.nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)

    def fixed(self) -> Posterior:
        """The distribution as it stands."""
        split = (value.split(self._sizes) for value in (self.mean.detach(), self.log_std.detach().exp()))
        means, widths = (dict(zip(self._shapes, parts, strict=True)) for parts in split)
        return Posterior(mean=means, std=widths)


def _first(tensor: Tensor) -> float:
    spread = float(tensor.std()) if tensor.numel() > 1 else float(tensor.abs())
    return math.log(_WIDTH * max(spread, _LEAST_WIDTH))


def _wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean probability of a wrong class."""
    return 1 - logits.softmax(dim=1).gather(1, labels[:, None]).mean()


def _weight(error: float, budget: float) -> float:
    """-d kl(q || p) / d q at the error q and the p that the bound gives."""
    q = min(max(error, _LOWEST), _HIGHEST)
    p = min(largest_rate(q, budget), 1 - 1e-6)
    return math.log((1 - q) / (1 - p)) - math.log(q / p)
