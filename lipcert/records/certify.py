"""What `certify` found out about one property of one network: a document of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.errors import EnclosureError
from lipcert.records.check import ErrorRecord
from lipcert.records.provenance import FidelityRecord, ToolRecord
from lipcert.records.settings import Effort

CERTIFY_SCHEMA_VERSION = "1.0"

Verdict = Literal["unsat", "sat", "unknown", "timeout"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CertifySettings:
    """Settings of one `certify` run.

    effort       "fast" attacks and bounds each box once; "default" and "high" cut boxes until there is a verdict
    deploy_dtype arithmetic of the deployed network that "unsat" speaks of
    timeout      seconds after which the search stops; None for no limit
    max_memory   bytes that bounds may hold at once; None for 1 GiB
    """

    effort: Effort = "default"
    deploy_dtype: Literal["real", "float32", "bfloat16"] = "float32"
    timeout: float | None = 300.0
    max_memory: int | None = None
    seed: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CounterexampleRecord:
    """An input the property looks for, and what the file's own runtime gives for it.

    inputs   X_0, X_1, ... inside the box; the runtime reads each as the nearest float32
    outputs  Y_0, Y_1, ... as float32, which meet the property's constraints exactly
    runtime  that gave them
    """

    inputs: tuple[float, ...]
    outputs: tuple[float, ...]
    runtime: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyRecord:
    """The property: the numbers it declares, its boxes of inputs, and its alternatives over all boxes."""

    path: str
    sha256: str
    inputs: int
    outputs: int
    boxes: int
    alternatives: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyReport:
    """One run of `certify`.

    verdict    "unsat": proved that no input meets the property; "sat": `counterexample` does; "timeout": the time ran
               out first; "unknown": the search ended without either, and `reason` says why
    statement  what the verdict says, in words
    method     what decided it
    domains    parts of boxes that were bounded
    duration_s None in a deterministic document
    """

    schema: Literal["lipcert.certify"] = "lipcert.certify"
    schema_version: str = CERTIFY_SCHEMA_VERSION
    verdict: Verdict
    statement: str
    method: str
    reason: str = ""
    counterexample: CounterexampleRecord | None = None
    tool: ToolRecord
    model: str
    model_sha256: str
    property: PropertyRecord
    fidelity: FidelityRecord | None
    settings: CertifySettings
    domains: int = 0
    duration_s: float | None = None
    exit_code: int
    errors: tuple[ErrorRecord, ...] = ()

    def __post_init__(self) -> None:
        if (self.verdict == "sat") != (self.counterexample is not None):
            raise EnclosureError(f"verdict {self.verdict} with counterexample {self.counterexample}")


EXIT_CODES: dict[Verdict, int] = {"unsat": 0, "sat": 1, "unknown": 3, "timeout": 3}
