"""Whether the attacks can be believed: checks of the search itself, and their verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

CheckStatus = Literal["pass", "warn", "fail", "skipped"]
Trust = Literal["sound", "doubtful", "broken"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationCheck:
    """One sign that a search under attack works, or does not.

    id         stable: "evaluation.planted", ...
    ball       the ball it was made in: "linf 0.1"; empty where it is about the model alone
    value      what was measured; None where there is nothing to measure
    threshold  the largest value that passes
    samples    that were looked at
    message    what was found, in words
    hint       what to do where it did not pass
    reference  where the check comes from
    """

    id: str
    status: CheckStatus
    ball: str = ""
    value: float | None
    threshold: float | None
    samples: int
    message: str
    hint: str
    reference: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """All checks and what they come to.

    verdict  "broken" where a check fails: robust accuracy and loss say nothing; "doubtful" where one warns: they are
             bounds as ever, but likely loose; "sound" otherwise, which is no proof that the attacks are the best
    """

    verdict: Trust
    checks: tuple[EvaluationCheck, ...]
