"""Surrogates of the robust loss from the Jacobian, beside what attacks found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.distribution import Distribution
from lipcert.records.lipschitz import Norm

SurrogateName = Literal["first_order", "pairwise", "max_pair", "jacobian"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateLossRecord:
    """One surrogate over the samples.

    loss     spread over the samples, in nats
    linear   the side of the linearised robust loss it is on, always
    covers   share of samples where it is at least the loss attacks found; None without attacks
    errs     the side of the attacked loss its mean is on; None without attacks
    """

    name: SurrogateName
    loss: Distribution
    linear: Literal["below", "above"]
    covers: float | None = None
    errs: Literal["below", "above"] | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateRecord:
    """Surrogates of the robust loss in one ball. In order they never fall, at any sample.

    clean_loss   mean loss at the samples themselves
    robust_loss  mean of the largest loss attacks found in the ball, from below; None without attacks
    headline     the surrogate to look at first
    ordered      whether clean <= first_order <= pairwise <= max_pair <= jacobian at every sample, within float error
    """

    norm: Norm
    eps: float
    samples: int
    clean_loss: float
    robust_loss: float | None
    surrogates: tuple[SurrogateLossRecord, ...]
    headline: SurrogateName = "pairwise"
    ordered: bool = True
