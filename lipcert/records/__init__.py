"""What is reported: frozen records without tensors. `lipcert.records.codec` turns them into JSON."""

from lipcert.records.certificate import BracketRecord, CertificateRecord, PopulationRisk, RadiusRecord, Verdict
from lipcert.records.check import CheckRecord, CheckState, DiagnosticRecord, ErrorRecord, Level
from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Enclosure, Soundness
from lipcert.records.evaluation import CheckStatus, EvaluationCheck, EvaluationRecord, Trust
from lipcert.records.functionals import CurvatureProbeRecord, FunctionalsRecord, RelationRecord
from lipcert.records.generalization import (
    AllLayerMarginRecord,
    GeneralizationRecord,
    MeasureRecord,
    NormalisedMarginRecord,
    ResilienceRecord,
    Split,
    TrainingGapRecord,
)
from lipcert.records.inspect import InspectRecord, InspectReport, LayerSketch, OperatorRecord
from lipcert.records.jacobian import (
    CorrelationRecord,
    DistanceRecord,
    JacobianClassRecord,
    JacobianRecord,
    OperatorNormRecord,
)
from lipcert.records.layer import LayerRecord, SpectrumRecord
from lipcert.records.linearity import AlignmentRecord, CellRecord, GapRecord, LinearityRecord, PowerMethodRecord
from lipcert.records.lipschitz import CleverRecord, LipschitzRecord, Norm
from lipcert.records.margin import MarginRecord
from lipcert.records.provenance import (
    DataRecord,
    FidelityRecord,
    PreprocessRecord,
    RunRecord,
    SignatureRecord,
    ToolRecord,
)
from lipcert.records.report import SCHEMA_VERSION, ModelRecord, Report, Summary
from lipcert.records.robustness import (
    AdversarialRadiusRecord,
    AttackRecord,
    CurvePoint,
    RobustnessRecord,
    SeedRecord,
)
from lipcert.records.sampling import PairedRecord, SamplingRecord
from lipcert.records.settings import ANALYSES, AnalyzeSettings, DeployDtype, Effort
from lipcert.records.skipped import Skipped
from lipcert.records.surrogate import SurrogateLossRecord, SurrogateName, SurrogateRecord

__all__ = [
    "ANALYSES",
    "SCHEMA_VERSION",
    "AdversarialRadiusRecord",
    "AlignmentRecord",
    "AllLayerMarginRecord",
    "AnalyzeSettings",
    "AttackRecord",
    "BracketRecord",
    "CellRecord",
    "CertificateRecord",
    "CheckRecord",
    "CheckState",
    "CheckStatus",
    "CleverRecord",
    "CorrelationRecord",
    "CurvatureProbeRecord",
    "CurvePoint",
    "DataRecord",
    "DeployDtype",
    "DiagnosticRecord",
    "DistanceRecord",
    "Distribution",
    "Effort",
    "Enclosure",
    "ErrorRecord",
    "EvaluationCheck",
    "EvaluationRecord",
    "FidelityRecord",
    "FunctionalsRecord",
    "GapRecord",
    "GeneralizationRecord",
    "InspectRecord",
    "InspectReport",
    "JacobianClassRecord",
    "JacobianRecord",
    "LayerRecord",
    "LayerSketch",
    "Level",
    "LinearityRecord",
    "LipschitzRecord",
    "MarginRecord",
    "MeasureRecord",
    "ModelRecord",
    "Norm",
    "NormalisedMarginRecord",
    "OperatorNormRecord",
    "OperatorRecord",
    "PairedRecord",
    "PopulationRisk",
    "PowerMethodRecord",
    "PreprocessRecord",
    "RadiusRecord",
    "RelationRecord",
    "Report",
    "ResilienceRecord",
    "RobustnessRecord",
    "RunRecord",
    "SamplingRecord",
    "SeedRecord",
    "SignatureRecord",
    "Skipped",
    "Soundness",
    "SpectrumRecord",
    "Split",
    "Summary",
    "SurrogateLossRecord",
    "SurrogateName",
    "SurrogateRecord",
    "ToolRecord",
    "TrainingGapRecord",
    "Trust",
    "Verdict",
]
