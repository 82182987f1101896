"""The Lipschitz constant of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Enclosure, Soundness
from lipcert.records.skipped import Skipped

Norm = Literal["l2", "linf", "l1"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LipschitzRecord:
    """Best constant of input -> logits, the same norm on both sides.

    scope    "global" on the whole space; "local" the largest over balls around some samples
    eps      radius of those balls, in that norm
    samples  how many of them
    """

    norm: Norm
    scope: Literal["global", "local"]
    method: str
    value: Enclosure | Skipped
    eps: float | None = None
    samples: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CleverRecord:
    """CLEVER: what extreme values of sampled gradients make of the local constant. An ESTIMATE, never a certificate.

    norm, eps       of the ball around each sample in which gradients were drawn
    batches, draws  maxima that a distribution was fitted to, and gradients in each
    constant        estimated local constant of the pair of logits that decides each sample's score
    radius          the score: margin over that constant, at most eps; 0 for a misclassified sample
    fitted          share of the fits that a Kolmogorov-Smirnov test at 5 % does not reject
    """

    norm: Norm
    eps: float
    samples: int
    batches: int
    draws: int
    constant: Distribution
    radius: Distribution
    fitted: float
    method: str
    soundness: Soundness = Soundness.ESTIMATE
