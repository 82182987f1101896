"""What is known of the error on unseen inputs: bounds, and figures that go with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, final

from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Soundness
from lipcert.records.lipschitz import Norm

Split = Literal["test", "train", "unknown"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralizationRecord:
    """One bound on an error rate over the population.

    bound        its id
    quantity     what is bounded, in words
    log10_value  decimal logarithm of the upper end; None where the bound is missing, or is 0
    lower        the lower end, where the bound has two
    vacuous      whether the upper end is 1 or more and says nothing; None where the bound is missing
    guarantee    False where a premise is known to fail, or nobody has checked the statement
    norm, eps    of the perturbations; None for the error on unperturbed inputs
    terms        the numbers the bound is made of
    missing      why there is no value
    """

    bound: str
    quantity: str
    soundness: Soundness
    failure_probability: float = 0.0
    log10_value: float | None
    lower: float | None = None
    vacuous: bool | None
    guarantee: bool = True
    norm: Norm | None = None
    eps: float | None = None
    terms: dict[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    source: str
    missing: str = ""

    def __post_init__(self) -> None:
        if (self.missing != "") != (self.vacuous is None):
            raise ValueError(f"{self.bound} must have a value, or a reason why there is none")
        if self.log10_value is not None and self.vacuous is not (self.log10_value >= 0):
            raise ValueError(f"{self.bound} is 1e{self.log10_value}, and vacuous is {self.vacuous}")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedMarginRecord:
    """Margins over a measure of the network's size, so that networks can be compared.

    normalisation  whose
    split          where the samples come from: only those of training are what the theory speaks of
    log10_scale    decimal logarithm of what margins were divided by
    curve          the margins at evenly spaced levels from 0 to 1, the least and the greatest included
    """

    normalisation: Literal["bartlett", "farnia"]
    split: Split
    soundness: Soundness = Soundness.HEURISTIC
    log10_scale: float
    distribution: Distribution
    curve: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRecord:
    """A number that was seen to go with the gap between training and test error; it bounds nothing."""

    measure: str
    value: float
    soundness: Soundness = Soundness.HEURISTIC


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AllLayerMarginRecord:
    """The all-layer margin from above: how small shifts at the layers change the class.

    layers  where the outputs are moved
    upper   length of the shifts found, over the samples; 0 where a sample is wrong already
    wrong   samples that are
    unmet   samples where the search found nothing; they are not in `upper`
    """

    split: Split
    layers: tuple[str, ...]
    upper: Distribution
    wrong: int
    unmet: int
    soundness: Soundness = Soundness.HEURISTIC


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ResilienceRecord:
    """Ingredients of bounds from noise resilience at one place in the network, measured at samples.

    place        "input", or the layer at whose output it is
    activation   l2 norm of the values there
    jacobian     spectral norm of the derivative of the logits with respect to them
    sensitivity  jacobian * activation / l2 norm of the logits
    """

    place: str
    split: Split
    activation: Distribution
    jacobian: Distribution
    sensitivity: Distribution
    soundness: Soundness = Soundness.ESTIMATE


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingGapRecord:
    """One quantity on training and test samples; means, and a bootstrap 95 % interval of test - train.

    quantity  "clean_loss", "clean_accuracy", "margin"; under attack "robust_loss", "robust_accuracy", "excess_loss",
              the robust loss less the clean one of the same sample
    attack    what searched the ball, the same search on both sides; empty without perturbation
    """

    quantity: str
    norm: Norm | None = None
    eps: float | None = None
    attack: str = ""
    train_samples: int
    test_samples: int
    train: float
    test: float
    gap: float
    ci95: tuple[float, float]
    soundness: Soundness = Soundness.ESTIMATE
