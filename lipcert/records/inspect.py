"""What a model file is and how far it can be analysed, before any analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.check import ErrorRecord
from lipcert.records.provenance import FidelityRecord, SignatureRecord, ToolRecord
from lipcert.records.skipped import Skipped

INSPECT_SCHEMA_VERSION = "1.0"

Tier = Literal["bounds", "gradient", "unsupported"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecord:
    """How often one operator occurs and what is known about it.

    tier  "bounds": every rule exists; "gradient": it runs and differentiates, bounds through it are skipped;
          "unsupported": it has no interpretation, and the model cannot be analysed
    """

    op: str
    count: int
    tier: Tier


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSketch:
    """One affine node by name and shape; shapes are of one sample."""

    name: str
    op: str
    description: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InspectRecord:
    """One file: its format, what it reads and gives, and which of its nodes can be analysed.

    status            "analysable": every node has all rules; "partly": every node runs, some have no bounds;
                      "blocked": a node has no interpretation, and `signature` and `fidelity` say so
    nodes             nodes of the file's graph, or of the captured one where there is a capture
    analysable_nodes  those in tier "bounds"
    operators         every operator of the graph, commonest first
    notes             what was done to the file while it was read
    """

    id: str
    path: str
    sha256: str
    size_bytes: int
    format: str
    description: str
    status: Literal["analysable", "partly", "blocked"]
    signature: SignatureRecord | Skipped
    fidelity: FidelityRecord | Skipped
    nodes: int
    analysable_nodes: int
    operators: tuple[OperatorRecord, ...]
    layers: tuple[LayerSketch, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.analysable_nodes <= self.nodes:
            raise ValueError(f"{self.analysable_nodes} analysable nodes of {self.nodes}")

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """Operators without an interpretation, then those without bounds."""
        order = {"unsupported": 0, "gradient": 1}
        found = [operator for operator in self.operators if operator.tier != "bounds"]
        return tuple(operator.op for operator in sorted(found, key=lambda operator: order[operator.tier]))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InspectReport:
    """One run of `inspect`: a document of its own, with the failures of files that could not be read."""

    schema: Literal["lipcert.inspect"] = "lipcert.inspect"
    schema_version: str = INSPECT_SCHEMA_VERSION
    tool: ToolRecord
    models: tuple[InspectRecord, ...]
    exit_code: int
    errors: tuple[ErrorRecord, ...] = ()
