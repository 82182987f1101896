"""What is proved about the samples, and the bracket it closes with the attacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, final

from lipcert.errors import EnclosureError
from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Soundness
from lipcert.records.lipschitz import Norm
from lipcert.records.settings import DeployDtype

Verdict = Literal["certified", "falsified", "unknown", "misclassified"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """Share of samples proved to keep their true label in the whole region around them.

    The region is the closed ball of radius eps; where `clipped`, its part inside the input range.

    deploy_dtype  the arithmetic the proof covers: the graph as loaded with every sum and product rounded to this type,
                  sums in any order; "real" where it speaks of exact arithmetic alone
    verdicts      "certified", "falsified", "unknown", "misclassified" -> samples
    decided_by    method -> samples it certified or broke
    untried       of the unknown ones, those given up before bounds inside the network were tightened for them
    obstacle      where nothing is certified, why, told of the sample that promises most; of the smallest ball of a norm
    """

    norm: Norm
    eps: float
    samples: int
    certified_accuracy: float
    method: str
    soundness: Soundness
    deploy_dtype: DeployDtype = "real"
    clipped: bool = False
    verdicts: dict[Verdict, int] = field(default_factory=dict)
    decided_by: dict[str, int] = field(default_factory=dict)
    untried: int = 0
    obstacle: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusRecord:
    """Certified radii over the samples; a misclassified sample has radius 0.

    deploy_dtype, clipped  as in `CertificateRecord`
    searched               samples whose radius was looked for by search; the others have the best that came for free
    product_radius         margin over the product of layer norms (with the last layer's pairwise differences), for
                           contrast: of the real-arithmetic network, without what other norms prove
    """

    norm: Norm
    method: str
    soundness: Soundness
    certified_radius: Distribution
    deploy_dtype: DeployDtype = "real"
    clipped: bool = False
    searched: int = 0
    product_radius: Distribution | None = None


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
