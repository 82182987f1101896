"""The whole result of a run: one document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, final

from lipcert.records.certificate import BracketRecord, CertificateRecord, RadiusRecord
from lipcert.records.check import CheckRecord, DiagnosticRecord, ErrorRecord
from lipcert.records.evaluation import EvaluationRecord
from lipcert.records.generalization import (
    AllLayerMarginRecord,
    GeneralizationRecord,
    MeasureRecord,
    NormalisedMarginRecord,
    ResilienceRecord,
    TrainingGapRecord,
)
from lipcert.records.jacobian import JacobianRecord
from lipcert.records.layer import LayerRecord
from lipcert.records.lipschitz import CleverRecord, LipschitzRecord
from lipcert.records.margin import MarginRecord
from lipcert.records.provenance import (
    DataRecord,
    FidelityRecord,
    PreprocessRecord,
    RunRecord,
    SignatureRecord,
    ToolRecord,
)
from lipcert.records.robustness import AdversarialRadiusRecord, RobustnessRecord
from lipcert.records.settings import AnalyzeSettings
from lipcert.records.skipped import Skipped

SCHEMA_VERSION = "1.4"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """Everything found out about one model.

    An analysis that could not run is Skipped; one not asked for is empty or None.

    status  "analyzed" when everything asked was done, "inconclusive" when the model could not be concluded on
    """

    id: str
    path: str
    sha256: str
    format: str
    status: Literal["analyzed", "inconclusive"]
    signature: SignatureRecord
    fidelity: FidelityRecord
    preprocess: PreprocessRecord
    data: DataRecord | None
    layers: tuple[LayerRecord, ...] | Skipped = ()
    lipschitz: tuple[LipschitzRecord, ...] | Skipped = ()
    clever: tuple[CleverRecord, ...] = ()
    jacobian: JacobianRecord | Skipped | None = None
    margins: MarginRecord | Skipped | None = None
    robustness: tuple[RobustnessRecord, ...] | Skipped = ()
    adversarial_radii: tuple[AdversarialRadiusRecord, ...] = ()
    evaluation: EvaluationRecord | Skipped | None = None
    certificates: tuple[CertificateRecord, ...] | Skipped = ()
    radii: tuple[RadiusRecord, ...] = ()
    brackets: tuple[BracketRecord, ...] = ()
    generalization: tuple[GeneralizationRecord, ...] | Skipped = ()
    normalised_margins: tuple[NormalisedMarginRecord, ...] = ()
    measures: tuple[MeasureRecord, ...] = ()
    all_layer_margin: AllLayerMarginRecord | Skipped | None = None
    noise_resilience: tuple[ResilienceRecord, ...] | Skipped = ()
    training_gaps: tuple[TrainingGapRecord, ...] | Skipped = ()
    diagnostics: tuple[DiagnosticRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()
    unsupported_ops: tuple[str, ...] = ()
    timing: dict[str, float] | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts over the models, and the exit code the run ends with."""

    models: int
    analyzed: int
    inconclusive: int
    gate: Literal["pass", "fail", "inconclusive", "none"]
    exit_code: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run of `analyze`. `run` is None in a deterministic report: same inputs, same bytes."""

    schema: Literal["lipcert.report"] = "lipcert.report"
    schema_version: str = SCHEMA_VERSION
    tool: ToolRecord
    run: RunRecord | None
    settings: AnalyzeSettings
    models: tuple[ModelRecord, ...]
    summary: Summary
    errors: tuple[ErrorRecord, ...] = ()

    # Writing a report takes layers above this one; they are found by name when somebody looks at it.

    def to_json(self) -> str:
        """The report as one strict JSON document."""
        text: str = import_module("lipcert.records.codec").to_json(self)
        return text

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        text: str = import_module("lipcert.render").render(self, "markdown")
        return text

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """What `rich.print` shows."""
        return import_module("lipcert.render.display").segments(self, console, options)  # type: ignore[no-any-return]
