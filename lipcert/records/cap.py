"""What `cap` did to one model: a document of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.enclosure import Enclosure
from lipcert.records.provenance import ToolRecord
from lipcert.records.skipped import Skipped

CAP_SCHEMA_VERSION = "1.0"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CappedLayerRecord:
    """A linear or convolution layer before and after.

    weight  its name in the file
    beta    the cap it was given; None where it was given none
    factor  the weight was multiplied by it; 1 where the weight was left as it is
    before  the spectral norm at the layer's true input size, batch norm folded in; `after` that of the file written
    """

    name: str
    description: str
    weight: str
    beta: float | None
    factor: float
    before: Enclosure
    after: Enclosure


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CapReport:
    """One run of `cap`.

    lipschitz_before, lipschitz_after  upper end of the network's l2 constant, the product of its layers' norms
    accuracy_before, accuracy_after    on `samples` labelled samples; None without
    changed                            predictions that are others now
    """

    schema: Literal["lipcert.cap"] = "lipcert.cap"
    schema_version: str = CAP_SCHEMA_VERSION
    tool: ToolRecord
    model: str
    model_sha256: str
    format: str
    output: str
    output_sha256: str
    layers: tuple[CappedLayerRecord, ...]
    lipschitz_before: float | Skipped
    lipschitz_after: float | Skipped
    samples: int = 0
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    changed: int | None = None
    notes: tuple[str, ...] = ()
    exit_code: int = 0
