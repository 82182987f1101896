"""A result that could not be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Stands where a result could not be had, and says why. `operators` names the ops that stood in the way."""

    status: Literal["skipped"] = "skipped"
    reason: str
    operators: tuple[str, ...] = ()
