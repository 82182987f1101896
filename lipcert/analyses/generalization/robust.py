"""PAC-Bayes for the error under any perturbation in a ball: Xiao, Sun and Luo (2023).

The bound of Neyshabur et al. with B + eps for B, and with robust margins: the share counts the samples whose smallest
margin in the ball is not proved to be above gamma. No attack enters it: an attack's margin is too large, and a share
counted with it would be too small.

The paper extends it to residual blocks f + A phi(f) of one layer, with s + 1 for s. That extension is not here: blocks
as they are trained hold two layers or more and an activation after the sum, which it does not cover, and the proof's
rescaling of all layers to one norm takes homogeneity, which a skip connection breaks. layerwise.py bounds such
networks without it.

In l_p an input moves by at most max(1, D^(1/2 - 1/p)) eps in l2, for D entries: that is what is added to B.

Source: Xiao, Sun, Luo, NeurIPS 2023, theorem 1, with the constants of its proof.
"""

from __future__ import annotations

from dataclasses import replace
from typing import final

from lipcert.analyses.generalization.architecture import Architecture
from lipcert.analyses.generalization.base import BOUNDS, IID, AbstractBound, Evidence, Value
from lipcert.analyses.generalization.neyshabur import RANGE, Neyshabur
from lipcert.records import Norm
from lipcert.rounding import product_up, sqrt_up, sum_up


def moved(norm: Norm, eps: float, entries: int) -> float:
    """How far in l2 an input of `entries` entries moves at most."""
    return product_up((sqrt_up(float(entries)), eps)) if norm == "linf" else eps


@final
@BOUNDS.register("robust-pac-bayes")
class RobustPacBayes(AbstractBound):
    """The bound above, once for each ball."""

    name = "robust-pac-bayes"
    source = "Xiao, Sun, Luo 2023, theorem 1, with the constants of its proof"
    assumptions = (IID, RANGE)
    quantity = "robust error on unseen inputs"

    def __init__(self) -> None:
        self._clean = Neyshabur()

    def balls(self, evidence: Evidence, /) -> tuple[tuple[Norm, float] | None, ...]:
        """Those asked for."""
        return evidence.balls

    def missing(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> str:
        """As without perturbations, and robust margins that are proved."""
        if reason := self._clean.missing(evidence, None):
            return reason
        assert evidence.training is not None
        return "" if ball in evidence.training.robust else "no robust margins of the training samples are proved"

    def value(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> Value:
        """The clean bound on robust margins and a larger range."""
        assert ball is not None
        assert evidence.training is not None
        assert evidence.radius is not None
        assert isinstance(evidence.architecture, Architecture)
        entries = evidence.architecture.layers[0].fan_in - evidence.architecture.biased
        radius = sum_up((evidence.radius, moved(*ball, entries)))
        robust = replace(evidence.training, margins=evidence.training.robust[ball])
        found = self._clean.value(replace(evidence, training=robust, radius=radius), None)
        return Value(log=found.log, terms=found.terms | {"reach": moved(*ball, entries)})
