"""What is reported: frozen records without tensors. `lipcert.records.codec` turns them into JSON."""

from lipcert.records.certificate import BracketRecord, CertificateRecord, PopulationRisk, RadiusRecord, Verdict
from lipcert.records.check import DiagnosticRecord, ErrorRecord
from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Enclosure, Soundness
from lipcert.records.inspect import InspectRecord, InspectReport, LayerSketch, OperatorRecord
from lipcert.records.jacobian import JacobianRecord
from lipcert.records.layer import LayerRecord, SpectrumRecord
from lipcert.records.lipschitz import LipschitzRecord, Norm
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
from lipcert.records.settings import ANALYSES, AnalyzeSettings, DeployDtype, Effort
from lipcert.records.skipped import Skipped

__all__ = [
    "ANALYSES",
    "SCHEMA_VERSION",
    "AdversarialRadiusRecord",
    "AnalyzeSettings",
    "AttackRecord",
    "BracketRecord",
    "CertificateRecord",
    "CurvePoint",
    "DataRecord",
    "DeployDtype",
    "DiagnosticRecord",
    "Distribution",
    "Effort",
    "Enclosure",
    "ErrorRecord",
    "FidelityRecord",
    "InspectRecord",
    "InspectReport",
    "JacobianRecord",
    "LayerRecord",
    "LayerSketch",
    "LipschitzRecord",
    "MarginRecord",
    "ModelRecord",
    "Norm",
    "OperatorRecord",
    "PopulationRisk",
    "PreprocessRecord",
    "RadiusRecord",
    "Report",
    "RobustnessRecord",
    "RunRecord",
    "SeedRecord",
    "SignatureRecord",
    "Skipped",
    "Soundness",
    "SpectrumRecord",
    "Summary",
    "ToolRecord",
    "Verdict",
]
