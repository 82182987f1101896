"""What a caller asks of `certify`, before any file is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from lipcert.records.certify import CertifySettings


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyRequest:
    """One model file, one property file, and how hard to try."""

    model: Path
    property: Path
    input_shape: tuple[int, ...] | None = None
    output_name: str | None = None
    settings: CertifySettings = field(default_factory=CertifySettings)
