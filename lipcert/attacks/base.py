"""What every attack shares: the ball it searches, the noise it draws, what it keeps, and the table of attacks."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.graph.scores import error_log_odds, margins
from lipcert.records import Norm
from lipcert.registry import Registry
from lipcert.rounding import gamma

Classifier = Callable[[Tensor], Tensor]
Objective = Callable[[Tensor], Tensor]
_TINY = torch.finfo(torch.float64).tiny


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """Points within `eps` of a clean sample in `norm` ("l2" or "linf"), and inside the input range where one is known.

    A clean value outside the range may stay where it is but goes no further out: the box is the smallest one that
    holds the range and the clean sample. So the clean sample is always inside, and clipping moves no coordinate
    away from it: |clip(v) - x| <= |v - x| for x inside. Hence clipping after projecting stays in the ball, and
    one projection and one clip are enough.
    """

    norm: Norm
    eps: float
    input_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.norm not in ("l2", "linf"):
            raise ValueError(f"attacks search balls in l2 and linf, got {self.norm!r}")
        if not (math.isfinite(self.eps) and self.eps >= 0):
            raise ValueError(f"eps must be a finite number >= 0, got {self.eps}")

    def distance(self, points: Tensor, clean: Tensor) -> Tensor:
        """Distance of each point from its clean sample, shape (N,), float64, not below the true one in l2.

        The difference of two floats has one rounding, the l2 norm of D of them at most D + 2 more.
        """
        delta = (points.to(torch.float64) - clean.to(torch.float64)).flatten(1)
        if self.norm == "linf":
            return delta.abs().amax(dim=1)
        norm: Tensor = torch.linalg.vector_norm(delta, dim=1)
        return norm * (1 + _slack(delta))

    def contains(self, points: Tensor, clean: Tensor) -> Tensor:
        """Whether each point is in the ball and in the box, in float64 arithmetic, shape (N,). NaN is outside."""
        inside = self.distance(points, clean) <= self.eps
        if self.input_range is not None:
            low, high = self._box(clean.to(torch.float64))
            values = points.to(torch.float64)
            inside &= ((values >= low) & (values <= high)).flatten(1).all(dim=1)
        return inside

    def project(self, points: Tensor, clean: Tensor) -> Tensor:
        """The nearest point of the ball, clipped to the box, as a tensor of `clean`'s dtype that is inside exactly.

        The float64 result is rounded to the dtype; a coordinate that rounding took further from the clean sample
        moves one float back towards it, which undoes more than the rounding.
        """
        start = clean.to(torch.float64)
        delta = self._shrink(points.to(torch.float64) - start)
        wanted = start + delta
        if self.input_range is not None:
            wanted = wanted.clamp(*self._box(start))
        result = wanted.to(clean.dtype)
        allowed = torch.minimum(delta.abs(), (wanted - start).abs())
        too_far = (result.to(torch.float64) - start).abs() > allowed
        # Exact, as neighbouring floats differ by a float, and three times as fast as torch.where on such a mask.
        return result + (torch.nextafter(result, clean) - result) * too_far

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of norm 1 along which a linear function with this gradient rises fastest; 0 where it is 0."""
        if self.norm == "linf":
            return gradient.sign()
        flat = gradient.flatten(1)
        tiny = torch.finfo(flat.dtype).tiny
        flat = flat / flat.abs().amax(dim=1, keepdim=True).clamp_min(tiny)
        length: Tensor = torch.linalg.vector_norm(flat, dim=1, keepdim=True).clamp_min(tiny)
        return (flat / length).reshape(gradient.shape)

    def sample(self, clean: Tensor, noise: Noise, draw: int) -> Tensor:
        """Points drawn uniformly from the ball, projected and clipped."""
        if self.norm == "linf":
            return self.project(clean + self.eps * (2 * noise.uniform(clean, draw) - 1), clean)
        direction = self.steepest(noise.normal(clean, draw))
        radius = noise.uniform(clean.flatten(1)[:, :1], draw) ** (1 / clean[0].numel())
        return self.project(clean + self.eps * direction * radius.reshape(-1, *[1] * (clean.ndim - 1)), clean)

    def _shrink(self, delta: Tensor) -> Tensor:
        if self.norm == "linf":
            return delta.clamp(-self.eps, self.eps)
        flat = delta.flatten(1)
        lengths: Tensor = torch.linalg.vector_norm(flat, dim=1, keepdim=True).clamp_min(_TINY)
        room = self.eps * (1 - 3 * _slack(flat))
        return (flat * (room / lengths).clamp_max(1.0)).reshape(delta.shape)

    def _box(self, clean: Tensor) -> tuple[Tensor, Tensor]:
        assert self.input_range is not None
        low, high = self.input_range
        return clean.clamp_max(low), clean.clamp_min(high)


def _slack(flat: Tensor) -> float:
    return gamma(flat.shape[1] + 4)


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Noise:
    """Random numbers of each sample's own, fixed by seed, stage, sample index and draw.

    What a sample draws depends neither on the batch it came in nor on which others are still under attack.
    """

    seed: int
    stage: str
    indices: tuple[int, ...]

    def normal(self, like: Tensor, draw: int) -> Tensor:
        """Standard normal numbers with the shape, dtype and device of `like`."""
        return self._fill(like, draw, lambda row, generator: row.normal_(generator=generator))

    def uniform(self, like: Tensor, draw: int) -> Tensor:
        """Uniform numbers in [0, 1) with the shape, dtype and device of `like`."""
        return self._fill(like, draw, lambda row, generator: row.uniform_(generator=generator))

    def rows(self, rows: Tensor) -> Noise:
        """The noise of some of these samples."""
        return dataclasses.replace(self, indices=tuple(self.indices[row] for row in rows.tolist()))

    def _fill(self, like: Tensor, draw: int, fill: Callable[[Tensor, torch.Generator], Tensor]) -> Tensor:
        # Always drawn on the CPU in float32: the same numbers on every device and in every dtype.
        numbers = torch.empty(like.shape, dtype=torch.float32)
        generator = torch.Generator()
        for row, index in zip(numbers, self.indices, strict=True):
            key = hashlib.blake2b(f"{self.seed}/{self.stage}/{index}/{draw}".encode(), digest_size=7).digest()
            fill(row, generator.manual_seed(int.from_bytes(key)))
        return numbers.to(device=like.device, dtype=like.dtype)


@final
class Worst:
    """The worst points met in a search, per sample: one with the smallest margin, one with the largest loss.

    margin  smallest margin so far, shape (N,)
    """

    def __init__(self, clean: Tensor, labels: Tensor) -> None:
        self._labels = labels
        self._by_margin, self._by_loss = clean.clone(), clean.clone()
        self.margin = torch.full((len(clean),), torch.inf, device=clean.device, dtype=torch.float64)
        self._odds = -self.margin

    def update(self, rows: Tensor, points: Tensor, logits: Tensor) -> None:
        """Take in `points` of the samples `rows` with their logits. Comparisons with NaN keep what was there."""
        labels, logits = self._labels[rows], logits.detach().to(torch.float64)
        margin, odds = margins(logits, labels), error_log_odds(logits, labels)
        lower, higher = margin < self.margin[rows], odds > self._odds[rows]
        self.margin[rows[lower]], self._by_margin[rows[lower]] = margin[lower], points[lower]
        self._odds[rows[higher]], self._by_loss[rows[higher]] = odds[higher], points[higher]

    def points(self) -> Tensor:
        """Both candidates of each sample, shape (2, N, *input_shape)."""
        return torch.stack([self._by_margin, self._by_loss])


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractAttack(ABC):
    """A search for bad points in a ball. The fields of a subclass are its settings."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What reports call this attack with these settings."""

    @property
    def settings(self) -> dict[str, str | int | float | bool]:
        """The fields by name, as they are reported."""
        return dataclasses.asdict(self)

    @abstractmethod
    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """Candidates for the worst point of each sample, shape (candidates, N, *input_shape), all inside the ball.

        classify  differentiable; (N, *input_shape) -> logits (N, classes)
        clean     a batch of samples, in the dtype and on the device `classify` takes
        """


ATTACKS: Registry[type[AbstractAttack]] = Registry("attack")


def logits_and_gradient(classify: Classifier, objective: Objective, points: Tensor) -> tuple[Tensor, Tensor]:
    """Logits at `points`, and the gradient with respect to each point of its own objective; NaN and infinity become 0.

    objective  logits (N, classes) -> (N,), one number a sample
    """
    x = points.detach().requires_grad_()
    with torch.enable_grad():
        logits = classify(x)
        total = objective(logits).sum()
    if not total.requires_grad:
        return logits.detach(), torch.zeros_like(x)
    (gradient,) = torch.autograd.grad(total, x, materialize_grads=True)
    return logits.detach(), gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
