"""What is proved about the samples, and the bracket it closes with the attacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from lipcert.errors import EnclosureError
from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Soundness
from lipcert.records.lipschitz import Norm


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """Share of samples proved to keep their true label in the whole ball (no box: the ball is not clipped)."""

    norm: Norm
    eps: float
    samples: int
    certified_accuracy: float
    method: str
    soundness: Soundness


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusRecord:
    """Certified radii over the samples; a misclassified sample has radius 0."""

    norm: Norm
    method: str
    soundness: Soundness
    certified_radius: Distribution


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRisk:
    """`lower <= true robust risk <= upper` with the stated confidence.

    It holds for samples drawn i.i.d. and used for nothing else.
    """

    lower: float
    upper: float
    confidence: float
    method: str

    def __post_init__(self) -> None:
        if not 0 <= self.lower <= self.upper <= 1:
            raise EnclosureError(f"population risk [{self.lower}, {self.upper}] is no interval in [0, 1]")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BracketRecord:
    """certified_accuracy <= true robust accuracy of these samples <= robust_accuracy.

    undecided  share of samples neither certified nor broken
    eps 0      is the clean case: both ends are the clean accuracy
    """

    norm: Norm
    eps: float
    eps_space: str
    samples: int
    certified_accuracy: float
    robust_accuracy: float
    undecided: float
    population_risk: PopulationRisk

    def __post_init__(self) -> None:
        if not 0 <= self.certified_accuracy <= self.robust_accuracy <= 1:
            raise EnclosureError(
                f"certified accuracy {self.certified_accuracy} exceeds attacked accuracy {self.robust_accuracy} "
                f"at {self.norm} {self.eps}"
            )
