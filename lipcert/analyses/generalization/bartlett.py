"""Covering numbers of networks with bounded spectral and (2, 1) norms: Bartlett, Foster and Telgarsky (2017).

For a margin gamma, bounds s_i on the spectral and b_i on the (2, 1) norms fixed beforehand, with probability 1 - delta
over n training samples, for every network within the bounds,

    error <= share with margin <= gamma
             + 8 / n^(3/2) + C |X|_F sqrt(ln 2W^2) ln(n) R_A / (gamma n) + 3 sqrt(ln(2 / delta) / (2n)),
    R_A = (prod s_i) (sum (b_i / s_i)^(2/3))^(3/2).

The paper's theorem 3.3 bounds ln N(eps) by R / eps^2 with sqrt(R) = |X|_F sqrt(ln 2W^2) R_A. The ramp of width gamma,
after the margin, is 2 / gamma-Lipschitz in the logits, and Dudley's integral gives a Rademacher complexity of at most
4 / n^(3/2) + 18 sqrt(R') ln(n) / n with R' = (2 / gamma)^2 R, which enters twice: C = 72. Theorem 3.3 leaves out the
ceiling of its lemma 3.2; with it the cover is at most twice as large in the exponent: C = 72 sqrt(2), here 102.

A-posteriori: gamma, s_i and b_i come from the trained network, so each stands for the next point of a grid fixed
beforehand, and delta is shared among the points of all 2L + 1 grids with weights 1 / (3 (|j| + 1)^2).

Source: Bartlett, Foster, Telgarsky, NeurIPS 2017, equation 1.2 and theorem 3.3; constants derived as above.
"""

from __future__ import annotations

import math
from typing import final

from lipcert.analyses.generalization.architecture import spectral_complexity
from lipcert.analyses.generalization.base import (
    BOUNDS,
    IID,
    AbstractBound,
    Evidence,
    Value,
    log_price,
    log_sum,
    logarithm,
    raised,
)
from lipcert.analyses.generalization.norm_bound import best_margin, known, log_one_over_delta, missing_norms
from lipcert.records import Norm

CONSTANT = 102.0
WITHOUT_CEILING = 72.0


def log_gap(  # noqa: PLR0917  the letters of the formula
    log_complexity: float,
    length: float,
    width: int,
    samples: int,
    log_margin: float,
    log_two_over_delta: float,
    constant: float = CONSTANT,
) -> float:
    """Log of everything beside the share of samples that miss the margin.

    log_complexity  log R_A
    length          |X|_F
    """
    size = logarithm(length) + 0.5 * math.log(math.log(2 * width**2)) + logarithm(math.log(samples))
    cover = math.log(constant) + size + log_complexity - log_margin - math.log(samples)
    chance = 3 * math.sqrt(log_two_over_delta / (2 * samples))
    return log_sum(math.log(8) - 1.5 * math.log(samples), cover, math.log(chance))


@final
@BOUNDS.register("bartlett")
class Bartlett(AbstractBound):
    """The bound above, its margin and norms taken from grids."""

    name = "bartlett"
    source = "Bartlett, Foster, Telgarsky 2017, theorem 3.3; constants and grids derived in lipcert"
    assumptions = (IID,)

    def missing(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> str:
        """Architecture and training samples."""
        del ball
        return missing_norms(evidence)

    def value(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> Value:
        """At the best margin."""
        del ball
        net, margins, length = known(evidence)
        ratio = 1 + 1 / net.depth
        spectral = [raised(math.log(layer.spectral), ratio) for layer in net.layers]
        rows = [raised(log, ratio) for log in net.log_rows]
        price = sum(log_price(step) for _, step in (*spectral, *rows))
        complexity = spectral_complexity([log for log, _ in spectral], [log for log, _ in rows])
        start = math.log(2) + log_one_over_delta(evidence) + price

        def gap(step: int) -> float:
            return log_gap(complexity, length, net.width, len(margins), step * math.log(2), start + log_price(step))

        found = best_margin(margins, gap)
        terms = {
            "log10_complexity": net.log_spectral_complexity / math.log(10),
            "log10_complexity_on_grid": complexity / math.log(10),
            "inputs_frobenius_norm": length,
            "width": float(net.width),
            "constant": CONSTANT,
        }
        return Value(log=found.log, terms=found.terms | terms)
