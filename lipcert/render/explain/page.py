"""One entry of `explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Page:
    """A metric or check: `id` is its dotted record path, `aliases` are shorter names for it."""

    id: str
    meaning: str
    aliases: tuple[str, ...] = ()
