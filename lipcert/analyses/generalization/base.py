"""What bounds on the population's error share: their inputs, their registry, grids, and arithmetic in logarithms.

Norms of deep networks overflow a float64 when multiplied, so every bound is put together from natural logarithms.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

from torch import Tensor

from lipcert.analyses.generalization.architecture import Architecture
from lipcert.analyses.generalization.circuit import Circuit
from lipcert.records import GeneralizationRecord, Norm, Skipped, Soundness
from lipcert.registry import Registry

NEEDS_TRAINING = "it speaks of the training samples' margins: give them with --train-data"
NEEDS_RANGE = "it needs a bound on all inputs, fixed before any was seen: declare it with --input-range"
IID = "the training samples were drawn independently from the population"
ERROR = "error on unseen inputs"
QUANTILE = 0.25
"""Where no margin makes a bound say something, it is shown at the largest that a quarter of those above 0 misses."""

_SLACK = 1e-9  # relative; far above the rounding of the few dozen operations behind a bound


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Training:
    """What is known of the training samples.

    margins   of each, shape (N,), float64, rounded down
    length    Frobenius norm of all inputs together, rounded up
    robust    (norm, eps) -> at least the smallest margin in the ball around each sample
    gradient  (norm, eps) of a one-step attack -> the margins it leaves; `steepest` is the least gradient norm seen
    """

    margins: Tensor
    length: float
    robust: dict[tuple[Norm, float], Tensor]
    gradient: dict[tuple[Norm, float], Tensor]
    steepest: float

    def __len__(self) -> int:
        return len(self.margins)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that bounds are computed from.

    architecture  the network as the theorems want it, or why it is not
    radius        bound on the l2 norm of all inputs, None where no range was declared
    failure       probability with which a bound may be wrong through the draw of the samples
    chance        and through norms that are only probable
    balls         (norm, eps) of the robust bounds
    circuit       the network as noise on its layers wants it, or why it is not; None where no range was declared
    """

    architecture: Architecture | Skipped
    training: Training | None
    radius: float | None
    failure: float
    chance: float = 0.0
    balls: tuple[tuple[Norm, float], ...] = ()
    circuit: Circuit | Skipped | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A bound's value: natural logarithm of the upper end, and the numbers it is made of."""

    log: float
    terms: dict[str, float]


class AbstractBound(ABC):
    """A bound on an error rate. `missing` and `value` are asked in this order, once for each of `balls`."""

    name: str
    source: str
    assumptions: tuple[str, ...] = ()
    soundness: Soundness = Soundness.PROBABILISTIC
    guarantee: bool = True
    quantity: str = ERROR

    def balls(self, evidence: Evidence, /) -> tuple[tuple[Norm, float] | None, ...]:
        """The perturbations it speaks of; None for none."""
        del evidence
        return (None,)

    def speaks_of(self, ball: tuple[Norm, float] | None, /) -> str:
        """What is bounded, in words."""
        del ball
        return self.quantity

    @abstractmethod
    def missing(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> str:
        """Why it cannot be had; empty where it can."""

    @abstractmethod
    def value(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> Value:
        """Its value, where nothing is missing."""


BOUNDS: Registry[type[AbstractBound]] = Registry("bound")


def records(bound: AbstractBound, evidence: Evidence) -> tuple[GeneralizationRecord, ...]:
    """The records of one bound."""
    return tuple(_record(bound, evidence, ball) for ball in bound.balls(evidence))


def _record(bound: AbstractBound, evidence: Evidence, ball: tuple[Norm, float] | None) -> GeneralizationRecord:
    missing = bound.missing(evidence, ball)
    found = None if missing else bound.value(evidence, ball)
    log10 = None if found is None else (found.log + _SLACK) / math.log(10)
    known = evidence.architecture.failure if isinstance(evidence.architecture, Architecture) else 0.0
    failure = evidence.failure + max(known, evidence.chance)
    norm, eps = ball or (None, None)
    return GeneralizationRecord(
        bound=bound.name,
        quantity=bound.speaks_of(ball),
        soundness=bound.soundness,
        failure_probability=failure if found is not None and bound.guarantee else 0.0,
        log10_value=log10,
        vacuous=None if log10 is None else log10 >= 0,
        guarantee=bound.guarantee,
        norm=norm,
        eps=eps,
        terms={} if found is None else found.terms,
        assumptions=bound.assumptions,
        source=bound.source,
        missing=missing,
    )


def log_sum(*logs: float) -> float:
    """Log of the sum of exponentials."""
    top = max(logs)
    return top if math.isinf(top) else top + math.log(math.fsum(math.exp(log - top) for log in logs))


def log_price(step: int) -> float:
    """-log of the weight 1 / (3 (|j| + 1)^2) of grid point j; over all whole j the weights sum to less than 1."""
    return math.log(3) + 2 * math.log(abs(step) + 1)


def raised(log: float, ratio: float) -> tuple[float, int]:
    """The logarithm of the least power of `ratio` that is not below exp(log), and its exponent."""
    step = math.ceil(log / math.log(ratio))
    step += step * math.log(ratio) < log
    return step * math.log(ratio), step


def margin_steps(margins: Tensor) -> range:
    """Exponents j of the margins 2^j worth a try: from below the least positive one to the greatest, 64 at most."""
    positive = margins[margins > 0]
    if not len(positive):
        return range(1)
    low, high = math.ceil(math.log2(float(positive.min()))) - 1, math.floor(math.log2(float(positive.max())))
    return range(max(low, high - 63), high + 1)


def missed(margins: Tensor, step: int) -> float:
    """Share of the samples with a margin of at most 2^step."""
    return int((margins <= 2.0**step).sum()) / len(margins)


def logarithm(value: float) -> float:
    """The logarithm, of 0 too."""
    return math.log(value) if value > 0 else -math.inf
