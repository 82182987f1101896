"""PAC-Bayes for the network itself by noise of its own size on each layer, for any way the layers are connected.

The argument of Neyshabur et al. (2018) with three changes, which make it hold for residual networks and others that
the theorem's chain of homogeneous layers leaves out. Noise of standard deviation sigma_i on the numbers of layer i,
biases among them, moves the logits by at most D in l2 over all inputs, with probability 1 - tail (circuit.py). Where
D <= gamma / (2 sqrt 2), no margin moves by more than gamma / 2, so with Q the noise given that event,

    error of the network <= error of Q at margin gamma / 2,   and on the samples   <= share with margin <= gamma.

A Gaussian cut to an event of probability Z >= 1 - tail has KL(Q || P) <= (KL + H(tail)) / (1 - tail), H the entropy of
a coin and KL = sum |A_i - A_i0|^2 / (2 sigma_i^2) that of the whole Gaussian from the prior of the same deviations,
whose mean is the network before training, or 0. Maurer (2004, theorem 5), for 8 samples and more, then gives

    kl(share || error) <= (KL(Q || P) + ln(2 sqrt(n) / delta')) / n,      so error <= share + sqrt(that / 2).

gamma = 2^j, and each sigma_i = 2^(j / 4), are points of grids fixed beforehand: delta' is delta times the weights
1 / (3 (|j| + 1)^2) of all of them. The sigma_i are chosen for a small KL with D where it must be.

For perturbed inputs the ball of inputs is larger by their reach, and margins are those proved in the balls.

Source: Neyshabur, Bhojanapalli, Srebro, ICLR 2018, lemma 1; Maurer, arXiv cs/0411099; the rest derived as above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import final

from torch import Tensor

from lipcert.analyses.generalization.base import (
    BOUNDS,
    ERROR,
    IID,
    NEEDS_RANGE,
    NEEDS_TRAINING,
    AbstractBound,
    Evidence,
    Value,
    log_price,
)
from lipcert.analyses.generalization.circuit import TAIL, Circuit
from lipcert.analyses.generalization.neyshabur import RANGE
from lipcert.analyses.generalization.norm_bound import best_margin
from lipcert.analyses.generalization.posterior_bound import LEAST_SAMPLES, largest_rate
from lipcert.analyses.generalization.robust import moved
from lipcert.records import Norm, Skipped

STEPS = 4  # points of the grid of sigma in a factor of 2
_HALVINGS = 12
_ENTROPY = -TAIL * math.log(TAIL) - (1 - TAIL) * math.log(1 - TAIL)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Exponents j of sigma_i = 2^(j / 4), one a layer; their KL, and minus the logarithm of their weights."""

    steps: tuple[int, ...]
    divergence: float
    log_price: float

    @property
    def sigmas(self) -> tuple[float, ...]:
        """The standard deviations."""
        return tuple(2.0 ** (step / STEPS) for step in self.steps)


def chosen_noise(net: Circuit, allowed: float, reach: float = 0.0) -> Noise:
    """Noise that moves the logits by at most `allowed`, with a small KL.

    To first order D = sum c_i sigma_i, where sigma_i in proportion to (energy_i / c_i)^(1/3) is best; their common
    factor is found by bisection on D itself, and each is rounded down, which makes D no larger.
    """
    slopes = net.slopes(reach)
    shape = [(max(one.energy, 1e-30) / max(c, 1e-300)) ** (1 / 3) for one, c in zip(net.layers, slopes, strict=True)]
    high = allowed / math.fsum(c * s for c, s in zip(slopes, shape, strict=True))
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if net.change([middle * s for s in shape], reach) <= allowed else (low, middle)
    scale = low or high / 2**40
    steps = tuple(math.floor(STEPS * math.log2(scale * s)) for s in shape)
    while net.change([2.0 ** (step / STEPS) for step in steps], reach) > allowed:
        steps = tuple(step - 1 for step in steps)
    sigmas = (2.0 ** (step / STEPS) for step in steps)
    parts = (one.energy / (2 * sigma * sigma) for one, sigma in zip(net.layers, sigmas, strict=True))
    return Noise(steps=steps, divergence=math.fsum(parts), log_price=math.fsum(map(log_price, steps)))


def budget(noise: Noise, samples: int, log_one_over_delta: float) -> float:
    """What kl(share || error) may be at most."""
    cut = (noise.divergence + _ENTROPY) / (1 - TAIL)
    return (cut + math.log(2 * math.sqrt(samples)) + log_one_over_delta + noise.log_price) / samples


@final
@BOUNDS.register("layerwise-pac-bayes")
class LayerwisePacBayes(AbstractBound):
    """The bound above, for clean inputs and once for each ball."""

    name = "layerwise-pac-bayes"
    source = "Neyshabur, Bhojanapalli, Srebro 2018, lemma 1, with Maurer 2004; noise by layers derived in lipcert"
    assumptions = (IID, RANGE, "architecture, preprocessing and initial weights were chosen without these samples")

    def balls(self, evidence: Evidence, /) -> tuple[tuple[Norm, float] | None, ...]:
        """None, and those asked for."""
        return (None, *evidence.balls)

    def speaks_of(self, ball: tuple[Norm, float] | None, /) -> str:
        """What is bounded."""
        return ERROR if ball is None else f"robust {ERROR}"

    def missing(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> str:
        """A circuit, training samples, and margins that are proved."""
        if isinstance(evidence.circuit, Skipped):
            return f"noise on the layers does not cover this network: {evidence.circuit.reason}"
        if evidence.training is None:
            return NEEDS_TRAINING
        if evidence.circuit is None:
            return NEEDS_RANGE
        if len(evidence.training) < LEAST_SAMPLES:
            return f"{len(evidence.training)} training samples are too few; it needs {LEAST_SAMPLES}"
        if ball is not None and ball not in evidence.training.robust:
            return "no robust margins of the training samples are proved"
        return ""

    def value(self, evidence: Evidence, ball: tuple[Norm, float] | None, /) -> Value:
        """At the best margin."""
        net, training = evidence.circuit, evidence.training
        assert isinstance(net, Circuit)
        assert training is not None
        margins: Tensor = training.margins if ball is None else training.robust[ball]
        reach = 0.0 if ball is None else moved(*ball, math.prod(net.norms.graph.input_shape))

        @cache
        def noise(step: int) -> Noise:
            return chosen_noise(net, 2.0**step / (2 * math.sqrt(2)) * (1 - 1e-12), reach)

        def spent(step: int) -> float:
            return budget(noise(step), len(margins), log_price(step) - math.log(evidence.failure))

        found = best_margin(margins, lambda step: 0.5 * math.log(spent(step) / 2))
        step = round(math.log2(found.terms["margin"]))
        rate = largest_rate(found.terms["missed"], spent(step))
        sigmas = noise(step).sigmas
        terms = {
            "log10_kl": math.log10(noise(step).divergence),
            "smallest_noise": min(sigmas),
            "largest_noise": max(sigmas),
            "layers": float(len(sigmas)),
            "reach": reach,
        }
        return Value(log=min(found.log, math.log(rate)) if rate < 1 else found.log, terms=found.terms | terms)
