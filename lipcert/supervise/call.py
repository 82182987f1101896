"""What a child is asked to do, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One function call in a child.

    function             "package.module:name"; it returns a record
    arguments, keywords  what it is called with; they must be picklable, since they travel to the child
    observed             whether it also takes `progress`
    kept                 whether it also takes `keep`, told of the record so far
    """

    function: str
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    observed: bool = False
    kept: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended: with the JSON text of a record, or with an error.

    partial   the record so far, where the call was stopped and had one
    seconds   wall time of the child
    peak_rss  largest resident set that was seen, in bytes; 0 where the system does not tell
    """

    text: str | None = None
    error: BaseException | None = None
    partial: str | None = None
    seconds: float = 0.0
    peak_rss: int = 0
