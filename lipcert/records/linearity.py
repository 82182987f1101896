"""How far the first-order picture of a classifier reaches around the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Soundness
from lipcert.records.skipped import Skipped

Direction = Literal["cross-entropy attack", "logit attack", "random"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentRecord:
    """Where one kind of direction points, in the frame of the right singular vectors of each sample's Jacobian.

    radius        l2 radius of the attack; 0 for random directions
    by_rank       mean |cosine| with the vector of each singular value, the largest value first; None where no sample
                  has such a vector
    median_first  median |cosine| with the first vector
    gain          median of |change of the logits| / (radius * spectral norm); 1 where a step does all it can to first
                  order. None for random directions
    """

    direction: Direction
    radius: float
    samples: int
    by_rank: tuple[float | None, ...]
    median_first: float
    gain: float | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LinearityRecord:
    """What lies at one l2 distance along one kind of direction; all are means over the samples.

    logit_change       l2 norm of the change of the logits
    logit_deviation    l2 norm of what the Jacobian did not foretell of it
    feature_change     both for the input of the last affine layer; None where there is no such layer
    feature_deviation
    spectral_norm      of the Jacobian at that distance
    """

    direction: Direction
    radius: float
    samples: int
    logit_change: float
    logit_deviation: float
    feature_change: float | None
    feature_deviation: float | None
    spectral_norm: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CellRecord:
    """The linear region around each sample of a piecewise-linear classifier, by l2 distance to its nearest wall.

    Without rounding: distances are float64 values, not rounded outward, and certify nothing.

    walls          breakpoints of all activations, pairs within pooling windows among them
    radius         distance to the nearest wall, over the samples that have one
    without_walls  samples whose region is the whole space
    local_radius   min(first-order radius, cell radius) over the samples classified right: within it the label holds
    decided        share of the samples classified right whose first-order radius ends inside the region: it is the
                   exact distance to the nearest adversarial input. None where no sample is classified right
    undecided_walls samples for which a wall not looked at may be nearer: there the radius is a lower bound
    failure_probability that any of these radii is above the true one; 0 where all gradients were computed
    """

    samples: int
    walls: int
    radius: Distribution | Skipped
    without_walls: int
    local_radius: Distribution | Skipped
    decided: float | None
    undecided_walls: int
    soundness: Soundness
    failure_probability: float
    method: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PowerMethodRecord:
    """Gradient ascent with an infinite step on the squared change of the logits, against the power method.

    radius      l2 radius of the ascent
    inside      samples whose linear region is known to hold the ball: there theory says the two are equal
    agreement   spread over the samples of the largest l2 distance of the two unit vectors over all steps
    holds       share of the samples where that is at most `tolerance`
    """

    samples: int
    steps: int
    radius: float
    inside: int
    agreement: Distribution
    tolerance: float
    holds: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GapRecord:
    """One quantity on the training and the test samples; means, and a bootstrap 95 % interval of test - train.

    quantity  "clean_loss", "spectral_norm", ...; of a surrogate in a ball "pairwise linf 0.03"
    """

    quantity: str
    train: float
    test: float
    gap: float
    ci95: tuple[float, float]
