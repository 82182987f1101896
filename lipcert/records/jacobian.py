"""What the network does to first order at the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.distribution import Distribution
from lipcert.records.enclosure import Soundness
from lipcert.records.functionals import FunctionalsRecord
from lipcert.records.linearity import AlignmentRecord, CellRecord, GapRecord, LinearityRecord, PowerMethodRecord
from lipcert.records.lipschitz import Norm
from lipcert.records.skipped import Skipped
from lipcert.records.surrogate import SurrogateRecord


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorNormRecord:
    """The norm of the Jacobian from l_p to l_q over the samples, known at each of them from both sides.

    p, q    exponents as numbers, or "inf"
    exact   whether the ends are one number, to float error
    gap     median over the samples of (upper - lower) / lower; 0 where exact
    method  how the ends were had
    """

    p: float | Literal["inf"]
    q: float | Literal["inf"]
    lower: Distribution
    upper: Distribution
    exact: bool
    gap: float
    soundness: Soundness
    method: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceRecord:
    """First-order distances to the decision boundary: (z_y - z_k) / ||J_y - J_k||_{p*} for each other class k.

    norm       p, the norm distances are measured in
    nearest    the smallest over the classes of each sample; 0 where it is misclassified already
    unbounded  samples that no other class comes nearer to, to first order; they are not in `nearest`
    rivals     for each class, the share of samples it is the nearest other class of
    by_rival   for each class, the median distance to it over the samples of other classes; None where there is none
    """

    norm: Norm
    nearest: Distribution | Skipped
    unbounded: int
    rivals: tuple[float, ...]
    by_rival: tuple[float | None, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JacobianClassRecord:
    """Medians over the samples of one class, by the statistic's name, with the number of samples behind them."""

    label: int
    samples: int
    medians: dict[str, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationRecord:
    """Spearman's rank correlation of two columns over the samples, with a bootstrap 95 % interval."""

    first: str
    second: str
    samples: int
    value: float
    ci95: tuple[float, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JacobianRecord:
    """Data-dependent operator norms. Exact at each sample; as statements about the population they are estimates.

    statistics         name -> spread over the samples: spectral_norm, frobenius_norm, l1_entries, linf_norm,
                       stable_rank, centred_spectral_norm, ...
    singular_spectrum  mean over the samples of the singular values, largest first
    operator_norms     (p, q) norms from both sides
    distances          to the decision boundary to first order
    reference          the class that distances start from: the label, or the prediction where there are no labels
    zero_rows          samples with a logit of derivative zero in every input, which is a plateau: a step function, a
                       quantised value, a saturated activation; a logit that is zero by definition does not count
    zero_samples       samples where this is so of every logit
    curved_ops         ops that are not piecewise linear; with none, the Jacobian is constant around almost every input
    residual           largest relative residual of the singular vector behind `spectral_norm_lower`, where the
                       Jacobian has too many rows to be written out
    alignment          where attacks point in the frame of the right singular vectors, and random directions
    linearity          deviation from the Jacobian, and the Jacobian's norm, along an attack and along random directions
    cells              the linear regions around the samples
    power_method       whether attacks on the logits with an infinite step are the power method here
    gaps               means on the test samples less those on the training samples
    """

    samples: int
    dtype: str
    method: str
    soundness: Soundness
    statistics: dict[str, Distribution]
    singular_spectrum: tuple[float, ...]
    operator_norms: tuple[OperatorNormRecord, ...] = ()
    distances: tuple[DistanceRecord, ...] = ()
    reference: Literal["label", "prediction"] = "label"
    zero_rows: int = 0
    zero_samples: int = 0
    curved_ops: tuple[str, ...] = ()
    functionals: FunctionalsRecord | Skipped | None = None
    surrogates: tuple[SurrogateRecord, ...] | Skipped = ()
    classes: tuple[JacobianClassRecord, ...] = ()
    correlations: tuple[CorrelationRecord, ...] = ()
    residual: float | None = None
    alignment: tuple[AlignmentRecord, ...] | Skipped = ()
    linearity: tuple[LinearityRecord, ...] | Skipped = ()
    cells: CellRecord | Skipped | None = None
    power_method: PowerMethodRecord | Skipped | None = None
    gaps: tuple[GapRecord, ...] | Skipped = ()
