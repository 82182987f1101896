"""The Lipschitz constant of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.enclosure import Enclosure
from lipcert.records.skipped import Skipped

Norm = Literal["l2", "linf", "l1"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LipschitzRecord:
    """Best constant of input -> logits, the same norm on both sides. `scope` "global" holds on the whole space."""

    norm: Norm
    scope: Literal["global", "local"]
    method: str
    value: Enclosure | Skipped
