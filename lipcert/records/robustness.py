"""Loss and accuracy under attack, and how far away the nearest errors are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from lipcert.records.distribution import Distribution
from lipcert.records.lipschitz import Norm
from lipcert.records.sampling import SamplingRecord


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AttackRecord:
    """One stage of the search in a ball. `settings` are the attack's fields, so that it can be run again.

    robust_loss, robust_accuracy  of the worst found by this stage and all before it
    seed        of its random numbers
    searched    samples it was run on: the loss search on all, the others where nothing had settled the sample yet
    broken      samples that this stage was the first to break
    gradients   gradients evaluated, one a sample and backward pass
    forwards    logits evaluated, one a sample and pass, those of gradients and of re-checks on the file included
    complete    False where the time budget ended it early
    """

    attack: str
    robust_loss: float
    robust_accuracy: float
    settings: dict[str, str | int | float | bool] = field(default_factory=dict)
    seed: int = 0
    searched: int = 0
    broken: int = 0
    gradients: int = 0
    forwards: int = 0
    complete: bool = True


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRecord:
    """What the searches with one seed reached by themselves. Over seeds the union counts."""

    seed: int
    robust_loss: float
    robust_accuracy: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessRecord:
    """The worst found over all attacks in one ball: robust loss from below, robust accuracy from above.

    eps_space     the units and place eps is measured in
    clipped       whether perturbed inputs were kept inside the input range
    scored_by     whose logits judged what the attacks found: the original runtime, or the captured graph
    robust_loss   mean over samples of the largest cross-entropy found, the clean input included
    robust_margin over samples, the smallest margin found
    proved        samples certified at this radius: searched for their loss, not for an error
    seeds         one entry a seed, where there are several
    unseen        Chao's estimate of how many more samples further seeds would break, from three seeds on; a diagnostic
    unfinished    attacks that the time budget left out or cut short, in order
    sampling      what the draw of the samples leaves open, apart from what a better attack might find
    """

    norm: Norm
    eps: float
    eps_space: str
    clipped: bool
    samples: int
    clean_loss: float
    clean_accuracy: float
    attacks: tuple[AttackRecord, ...]
    robust_loss: float
    robust_accuracy: float
    scored_by: str = "graph"
    robust_margin: Distribution | None = None
    proved: int = 0
    seeds: tuple[SeedRecord, ...] = ()
    unseen: float | None = None
    gradients: int = 0
    forwards: int = 0
    unfinished: tuple[str, ...] = ()
    sampling: SamplingRecord | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Share of samples with no known error within `eps`: an upper bound on robust accuracy there."""

    eps: float
    robust_accuracy: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AdversarialRadiusRecord:
    """Distances to the nearest errors found in one norm, each an upper bound on that sample's true distance.

    found               samples for which there is one; a misclassified sample has distance 0
    adversarial_radius  the distances over those samples; None where there are none
    curve               robust accuracy against eps, from the distances
    attacks             the searches for near errors; the balls' searches count as well
    gradients, forwards spent by the former
    unfinished          searches that the time budget left out or cut short
    """

    norm: Norm
    eps_space: str
    clipped: bool
    samples: int
    found: int
    adversarial_radius: Distribution | None
    curve: tuple[CurvePoint, ...]
    attacks: tuple[str, ...] = ()
    gradients: int = 0
    forwards: int = 0
    unfinished: tuple[str, ...] = ()
