"""PAC-Bayes with a Gaussian around the weights, turned into a bound for the network itself: Neyshabur et al. (2018).

For inputs of l2 norm at most B, d layers, h the greatest number of rows or columns of a layer, m samples and a margin
gamma fixed beforehand, with probability 1 - delta,

    error <= share with margin <= gamma + 4 sqrt((KL + ln(6 m d m^(1/(2d)) / delta)) / (m - 1)),
    KL = (42^2 / 2) e^2 d^2 h ln(4 d h) (B / gamma)^2 Phi,    Phi = prod s_i^2 sum F_i^2 / s_i^2.

The factor d m^(1/(2d)) pays for the grid over the product of spectral norms, so these may come from the trained
network. h counts rows and columns, the input's entries among them: the tail of a Gaussian matrix needs both. The
margin is a point 2^j of a grid, with weights 1 / (3 (|j| + 1)^2) of delta. Phi grows with every norm, so upper ends of
norms may stand for them.

Source: Neyshabur, Bhojanapalli, Srebro, ICLR 2018, theorem 1; constants as in the proof that Xiao, Sun and Luo,
NeurIPS 2023, give in their appendix A.
"""

from __future__ import annotations

import math
from typing import final

from lipcert.analyses.generalization.base import (
    BOUNDS,
    IID,
    NEEDS_RANGE,
    AbstractBound,
    Evidence,
    Value,
    log_price,
    log_sum,
    logarithm,
)
from lipcert.analyses.generalization.norm_bound import best_margin, known, log_one_over_delta, missing_norms
from lipcert.records import Norm

CONSTANT = 42.0
RANGE = "every input of the population lies in the declared range"


def log_divergence(log_phi: float, depth: int, width: int, radius: float, log_margin: float) -> float:
    """Log of KL. `radius` is B, `width` is h."""
    shape = 2 * math.log(depth) + math.log(width) + math.log(math.log(4 * depth * width))
    return math.log(CONSTANT**2 / 2) + 2 + shape + 2 * (logarithm(radius) - log_margin) + log_phi


def log_gap(log_kl: float, depth: int, samples: int, log_one_over_delta: float) -> float:
    """Log of what is added to the share of samples that miss the margin."""
    grid = math.log(6 * samples * depth) + math.log(samples) / (2 * depth) + log_one_over_delta
    return math.log(4) + 0.5 * (log_sum(log_kl, math.log(grid)) - math.log(max(samples - 1, 1)))


@final
@BOUNDS.register("neyshabur")
class Neyshabur(AbstractBound):
    """The bound above, at the best margin of the grid."""

    name = "neyshabur"
    source = "Neyshabur, Bhojanapalli, Srebro 2018, theorem 1, with the constants of its proof"
    assumptions = (IID, RANGE)

    def missing(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> str:
        """Architecture, training samples and the range of inputs."""
        del ball
        return missing_norms(evidence) or ("" if evidence.radius is not None else NEEDS_RANGE)

    def value(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> Value:
        """At the best margin."""
        del ball
        return self.bounded(evidence, 0.0)

    @staticmethod
    def bounded(evidence: Evidence, log_factor: float) -> Value:
        """The value with Phi multiplied by exp(log_factor)."""
        net, margins, _ = known(evidence)
        assert evidence.radius is not None
        radius = net.input_radius(evidence.radius)

        def divergence(step: int) -> float:
            return log_divergence(net.log_phi + log_factor, net.depth, net.width, radius, step * math.log(2))

        def gap(step: int) -> float:
            chance = log_price(step) + log_one_over_delta(evidence)
            return log_gap(divergence(step), net.depth, len(margins), chance)

        found = best_margin(margins, gap)
        terms = {
            "log10_kl": divergence(round(math.log2(found.terms["margin"]))) / math.log(10),
            "log10_phi": net.log_phi / math.log(10),
            "input_radius": radius,
            "width": float(net.width),
            "constant": CONSTANT,
        }
        return Value(log=found.log, terms=found.terms | terms)
