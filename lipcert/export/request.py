"""What a caller asks of `cap`, before any file is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from lipcert.pipeline import AnalyzeRequest


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CapRequest:
    """A model and its data, the caps, and where the capped copy goes.

    beta    of every layer that `layers` does not name; None leaves those as they are
    layers  layer name -> its own cap
    """

    analyze: AnalyzeRequest
    output: Path
    beta: float | None = None
    layers: Mapping[str, float] = field(default_factory=dict)
