"""What was asked of an analysis; recorded with the results it produced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

Effort = Literal["fast", "default", "high"]

ANALYSES = ("layers", "lipschitz", "jacobian", "margins", "robustness", "certificates")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeSettings:
    """Settings of one `analyze` run.

    analyses     names of the analyses to report, in order
    samples      use the first so many samples; None for all
    eps          norm -> radii, in data units; empty for the defaults
    confidence   of each population statement, both sides together
    spectrum     singular values to report of each layer; 0 for none
    batch_size   samples per forward or backward pass; it changes speed and memory, not results beyond rounding
    """

    analyses: tuple[str, ...] = ANALYSES
    samples: int | None = None
    eps: dict[str, tuple[float, ...]] | None = None
    seed: int = 0
    device: str = "cpu"
    dtype: Literal["float32", "float64"] = "float32"
    effort: Effort = "default"
    confidence: float = 0.95
    spectrum: int = 0
    batch_size: int = 256
    deterministic: bool = False
