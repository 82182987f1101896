"""What is known about a whole zoo of models: a document of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.errors import EnclosureError
from lipcert.records.check import CheckRecord, DiagnosticRecord, ErrorRecord
from lipcert.records.lipschitz import Norm
from lipcert.records.provenance import ToolRecord

AUDIT_SCHEMA_VERSION = "1.1"

AuditStatus = Literal["analyzed", "inconclusive", "pending"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditBall:
    """One model in one ball.

    certified_accuracy, robust_accuracy
                   share of its samples that is proved robust, and that no attack broke; None where not looked for
    true_accuracy  ends of an interval for the true robust accuracy, at `confidence` for this model alone
    rank           best and worst place among the models on the same data whose intervals are known: a place is better
                   for sure only where two intervals do not overlap
    """

    norm: Norm
    eps: float
    certified_accuracy: float | None = None
    robust_accuracy: float | None = None
    true_accuracy: tuple[float, float] | None = None
    confidence: float | None = None
    rank: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        ends = (self.certified_accuracy, self.robust_accuracy)
        if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
            raise EnclosureError(f"certified accuracy {ends[0]} exceeds attacked accuracy {ends[1]}")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLipschitz:
    """The tightest global Lipschitz constant of a model, in l2 where there is one."""

    norm: Norm
    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not 0 <= self.lower <= self.upper:
            raise EnclosureError(f"Lipschitz constant [{self.lower}, {self.upper}] is no enclosure")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditModel:
    """One model of the zoo.

    key        names its result: results/<key>.json in the audit's folder
    family     models that belong together; "" for none
    status     "pending" where there is no result yet
    histogram  of its certified radii, or of its Jacobian norms where there are none; for a picture
    warnings   what must be known before its numbers are believed, such as data that it was not trained on
    error      why it could not be concluded on
    """

    name: str
    path: str
    family: str
    key: str
    sha256: str
    status: AuditStatus
    format: str | None = None
    parameters: int | None = None
    classes: int | None = None
    data: str | None = None
    samples: int | None = None
    clean_accuracy: float | None = None
    balls: tuple[AuditBall, ...] = ()
    lipschitz: AuditLipschitz | None = None
    histogram: tuple[int, ...] = ()
    warnings: tuple[DiagnosticRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    error: ErrorRecord | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSummary:
    """Counts over the zoo, and the exit code of the run. Models with the same content and settings are one result."""

    models: int
    results: int
    analyzed: int
    inconclusive: int
    pending: int
    gate: Literal["pass", "fail", "inconclusive", "none"]
    exit_code: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """One zoo.

    `models` stand by family, what was analysed before what was not, best first in the ball they are ranked by, then by
    name. It says nothing about when and where, so that the same results give the same bytes.

    ranked_by  norm and eps of the ball, as (norm, eps); None where no model was attacked or certified in any
    """

    schema: Literal["lipcert.audit"] = "lipcert.audit"
    schema_version: str = AUDIT_SCHEMA_VERSION
    tool: ToolRecord
    models: tuple[AuditModel, ...]
    ranked_by: tuple[Norm, float] | None
    summary: AuditSummary
