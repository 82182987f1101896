"""The regularisers of the literature as functionals of the trained network, and how they are related."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.distribution import Distribution
from lipcert.records.skipped import Skipped


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRecord:
    """An identity or inequality between functionals, evaluated at every sample.

    id         short name, for tests and `explain`
    statement  in plain text
    worst      of an identity: largest relative difference of its sides; of an inequality: largest relative excess of
               the left side over the right one, 0 or less where it holds everywhere
    holds      whether `worst` is within float error
    tightness  median of left over right
    """

    id: str
    statement: str
    kind: Literal["identity", "inequality"]
    worst: float
    holds: bool
    tightness: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CurvatureProbeRecord:
    """The finite-difference curvature ||grad l(x + h v) - grad l(x)||^2 with v the normalised sign of the gradient.

    step     h, the length of the step in l2
    samples  how many of the first samples were probed; those with a gradient of zero are left out
    value    over the samples
    local    ratio of its root to h ||H v||, which is 1 where the step stays where H is constant
    """

    step: float
    samples: int
    value: Distribution
    local: Distribution | Skipped


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionalsRecord:
    """Input gradient, Jacobian, cross-Lipschitz and curvature functionals over the samples.

    statistics       name -> spread: input_gradient (squared l2 norm), cross_lipschitz, hessian_trace, ...
    hessian          "exact" for a piecewise-linear network, whose input Hessian is J'(diag p - pp')J almost everywhere;
                     else that is the "gauss-newton" part of it
    relations        identities and inequalities between the functionals
    confident        share of samples with 1 - p_y below 0.01, where input gradient and Hessian are near zero whatever
                     the Jacobian is
    masked           names of the statistics that carry a factor of confidence
    unmasked         names of those that do not
    curvature_probe  finite differences of the loss gradient
    reading          what to make of it, in a sentence
    """

    samples: int
    statistics: dict[str, Distribution]
    hessian: Literal["exact", "gauss-newton"]
    relations: tuple[RelationRecord, ...]
    confident: float
    masked: tuple[str, ...]
    unmasked: tuple[str, ...]
    curvature_probe: CurvatureProbeRecord | Skipped
    reading: str
