"""Whether a number meets a threshold, as far as what is known of it decides that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from lipcert.policy.config import CheckSpec
from lipcert.policy.wording import number, value_text
from lipcert.records import CheckState, Soundness
from lipcert.records.metrics import Reading

WEAKEST_LAST = tuple(Soundness)
GRAVEST_FIRST: tuple[CheckState, ...] = ("fail", "error", "inconclusive", "skipped", "pass")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A state with the words for it, and the reading it is about."""

    state: CheckState
    message: str
    hint: str = ""
    reading: Reading | None = None
    baseline: float | None = None


def worst(judgements: list[Judgement]) -> Judgement:
    """The gravest of several, the first of its kind."""
    return min(judgements, key=lambda judgement: GRAVEST_FIRST.index(judgement.state))


def judge_thresholds(reading: Reading, spec: CheckSpec) -> list[Judgement]:
    """One judgement for `min` and one for `max`, where they are given.

    `min` is sure to hold where the lower end reaches it, and sure to fail where the upper end stays below; `max` the
    other way round. An end that rests on less than the check accepts decides nothing.
    """
    found = []
    low, high = reading.lower, reading.upper
    if spec.minimum is not None:
        least = _Side(asked=f"min {number(spec.minimum)}", limit=spec.minimum, deciding="lower", breaking="upper")
        holds, breaks = low is not None and low >= spec.minimum, high is not None and high < spec.minimum
        found.append(_judge(reading, spec, least, holds=holds, breaks=breaks))
    if spec.maximum is not None:
        most = _Side(asked=f"max {number(spec.maximum)}", limit=spec.maximum, deciding="upper", breaking="lower")
        holds, breaks = high is not None and high <= spec.maximum, low is not None and low > spec.maximum
        found.append(_judge(reading, spec, most, holds=holds, breaks=breaks))
    return found


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A threshold: the end that makes it sure to hold, and the one that makes it sure to break."""

    asked: str
    limit: float
    deciding: str
    breaking: str


def _judge(reading: Reading, spec: CheckSpec, side: _Side, *, holds: bool, breaks: bool) -> Judgement:
    known = value_text(reading, side.limit)
    if (holds and is_weak(reading, side.deciding, spec)) or (breaks and is_weak(reading, side.breaking, spec)):
        word = reading.soundness.value
        return Judgement(
            state="inconclusive",
            message=f"{known}, known by {word} alone, which proves nothing either way about {side.asked}",
            hint=f'accept = "{word}" in the check judges it by that number all the same',
            reading=reading,
        )
    if holds:
        return Judgement(state="pass", message=f"{known}: {side.asked} holds", reading=reading)
    if breaks:
        return Judgement(state="fail", message=f"{known}: {side.asked} does not hold", reading=reading)
    return Judgement(
        state="inconclusive",
        message=f"{known}: this does not decide {side.asked}",
        hint=decider(reading),
        reading=reading,
    )


def is_weak(reading: Reading, end: str, spec: CheckSpec) -> bool:
    """Whether an end rests on less than the check accepts.

    Of an enclosure the lower end has a witness; of accuracies, which have a reported number, the upper one has: an
    attack that succeeded. A single number is as sure as its soundness says.
    """
    witnessed = "lower" if reading.reported is None else "upper"
    if reading.lower != reading.upper and end == witnessed and reading.soundness is not Soundness.PROBABILISTIC:
        return False
    return WEAKEST_LAST.index(reading.soundness) > WEAKEST_LAST.index(spec.accept)


def decider(reading: Reading) -> str:
    """What might bring the two ends nearer to each other."""
    return next((hint for start, hint in _DECIDERS if reading.id.path.startswith(start)), "--effort high may decide it")


_MORE_TIME = (
    "--effort high or --time-budget 10m may prove or break more samples; attacked.accuracy or "
    "certified.accuracy.lower asks for one end alone"
)
_DECIDERS = (
    ("lipschitz", "--effort high narrows the enclosure; lipschitz.l2.upper asks for the proved bound alone"),
    ("layers", "--effort high narrows the enclosure"),
    ("brackets.population_risk", "more samples narrow the interval: four times as many halve it"),
    ("certificates", _MORE_TIME),
    ("brackets", _MORE_TIME),
    ("robustness.robust_loss", "attacks bound the loss from below alone; robust.loss.lower asks for what they found"),
    ("robustness", _MORE_TIME),
    ("radii", "certified radii are lower ends; --effort high may raise them"),
    ("adversarial_radii", "adversarial radii are upper ends; adversarial.radius.upper asks for them alone"),
)
