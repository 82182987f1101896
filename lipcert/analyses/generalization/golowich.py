"""Rademacher complexity from Frobenius norms alone: Golowich, Rakhlin and Shamir (2018).

Networks of L layers with scalar output, homogeneous 1-Lipschitz activations on entries, one for all entries of a layer
(the proof takes the supremum over the rows of a layer together, as that over one row), and a product of Frobenius norms
of at most M have R_S <= (sqrt(2 ln(2) L) + 1) M |X|_F / n. For K classes, the vector contraction of Maurer takes
the ramp of width gamma, sqrt(2) / gamma-Lipschitz in the logits, to

    error <= share with margin <= gamma + (4 K / gamma) R_S + 3 sqrt(ln(2 / delta) / (2n)).

The product and the margin are taken from grids fixed beforehand. Homogeneity lets the product alone be on one: the
layers can be rescaled to equal norms without changing the network.

Source: Golowich, Rakhlin, Shamir, COLT 2018, theorem 1, as restated by Graf et al. 2022; for classes derived as above
with Maurer, ALT 2016.
"""

from __future__ import annotations

import math
from typing import final

from torch import Tensor

from lipcert.analyses.generalization.architecture import Architecture
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
from lipcert.graph import Node
from lipcert.records import Norm


def log_complexity(log_frobenius: float, depth: int, length: float, samples: int) -> float:
    """Log of the bound on R_S."""
    return math.log(math.sqrt(2 * math.log(2) * depth) + 1) + log_frobenius + logarithm(length) - math.log(samples)


@final
@BOUNDS.register("golowich")
class Golowich(AbstractBound):
    """The bound above, at the best margin of the grid."""

    name = "golowich"
    source = "Golowich, Rakhlin, Shamir 2018, theorem 1; reduction of classes derived in lipcert"
    assumptions = (IID,)

    def missing(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> str:
        """Activations on entries, architecture and training samples."""
        del ball
        net = evidence.architecture
        if isinstance(net, Architecture) and not net.elementwise:
            return "the theorem does not cover max pooling: its activations act on entries"
        if isinstance(net, Architecture) and any(map(_differs, net.activations)):
            return "the theorem does not cover slopes of their own for entries of one layer"
        return missing_norms(evidence)

    def value(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> Value:
        """At the best margin."""
        del ball
        net, margins, length = known(evidence)
        product, at = raised(net.log_frobenius_product, 1 + 1 / net.depth)
        complexity = log_complexity(product, net.depth, length, len(margins))
        classes = net.layers[-1].fan_out

        def gap(step: int) -> float:
            chance = math.log(2) + log_one_over_delta(evidence) + log_price(at) + log_price(step)
            return log_sum(
                math.log(4 * classes) - step * math.log(2) + complexity,
                math.log(3) + 0.5 * math.log(chance / (2 * len(margins))),
            )

        found = best_margin(margins, gap)
        terms = {
            "log10_frobenius_product": net.log_frobenius_product / math.log(10),
            "inputs_frobenius_norm": length,
            "classes": float(classes),
        }
        return Value(log=found.log, terms=found.terms | terms)


def _differs(activation: Node) -> bool:
    """Whether entries have different slopes."""
    return any(isinstance(arg, Tensor) and bool((arg != arg.flatten()[:1]).any()) for arg in activation.args)
