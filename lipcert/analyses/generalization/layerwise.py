"""PAC-Bayes for the network itself by noise of its own size on each layer, for any way the layers are connected.

The argument of Neyshabur et al. (2018) with three changes, which make it hold for residual networks and others that
the theorem's chain of homogeneous layers leaves out. Let f_w be the network in real arithmetic, batch norms folded, u
noise on its weights, and for weights v and g >= 0 let L_g(v), S_g(v) be the shares of the population and of the n
samples whose margin z_y - max z_j under f_v is at most g. A margin of 0 counts as an error.

1. Noise of standard deviation sigma_i on the numbers of layer i, biases among them, lies in an event E of probability
   1 - t at least, t = 0.1, on which the logits of every input in the declared range move by D at most, in l2
   (circuit.py). E is a matter of the noise alone, the same for all inputs. Two logits' difference moves by sqrt(2) D
   at most, so where D <= gamma / (2 sqrt 2) each margin moves by gamma / 2 at most, and for every u in E

       L_0(w) <= L_{gamma/2}(w + u),      S_{gamma/2}(w + u) <= S_gamma(w).

2. Let P = N(w_0, sigma^2) with w_0 the network before training, or 0, let N = N(w, sigma^2), and Q = N given E. With
   Z = N(E), Q' = N given not E and H the entropy of a coin, KL(N || P) = Z KL(Q || P) + (1 - Z) KL(Q' || P) - H(Z).
   KL is not negative, and Z >= 1 - t > 1/2, so

       KL(Q || P) <= (KL + H(t)) / (1 - t),      KL = KL(N || P) = sum over layers of |A_i - A_i0|^2 / (2 sigma_i^2).

3. The loss "margin at most gamma / 2" lies in [0, 1]. For one gamma and one P, neither depending on the samples, and
   n >= 8, Maurer (2004, theorem 5) gives with probability 1 - delta', for all Q at once,

       kl(S_{gamma/2}(Q) || L_{gamma/2}(Q)) <= (KL(Q || P) + ln(2 sqrt(n) / delta')) / n.

   The greatest e with kl(s || e) <= c rises with s, so with 1 it is at least L_0(w) where s = S_gamma(w), c the
   right-hand side. By Pinsker it is at most s + sqrt(c / 2).

4. gamma = 2^j, and each sigma_i = 2^(j / 4), are points of grids fixed beforehand. The weights 1 / (3 (|j| + 1)^2) of
   a grid sum to less than 1, so with delta' = delta times the weights of all of them 3 holds at all points at once, and
   gamma and sigma may be chosen with the samples in hand. Likewise for all values of the numbers that no noise is on
   (fixed.py): each has a P of its own. The sigma_i are chosen for a small KL with D where it must be.

For perturbed inputs D is taken over the range enlarged by their reach, and margins are the least in the balls: these
too move by sqrt(2) D at most. A sample counts as above gamma where that is proved, so the share is no smaller.

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
    log_sum,
    logarithm,
)
from lipcert.analyses.generalization.circuit import TAIL, Circuit
from lipcert.analyses.generalization.fixed import described
from lipcert.analyses.generalization.neyshabur import RANGE
from lipcert.analyses.generalization.norm_bound import best_margin
from lipcert.analyses.generalization.posterior_bound import LEAST_SAMPLES, largest_rate
from lipcert.analyses.generalization.robust import moved
from lipcert.records import Norm, Skipped

STEPS = 4  # points of the grid of sigma in a factor of 2
_HALVINGS = 12
_CERTAIN = 10.0  # log of a budget at which no rate below 1 is left in a float64
_ENTROPY = -TAIL * math.log(TAIL) - (1 - TAIL) * math.log(1 - TAIL)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Exponents j of sigma_i = 2^(j / 4), one a layer; log of their KL, and minus the logarithm of their weights."""

    steps: tuple[int, ...]
    log_divergence: float
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
    high = allowed / max(math.fsum(c * s for c, s in zip(slopes, shape, strict=True)), 1e-100)
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if net.change([middle * s for s in shape], reach) <= allowed else (low, middle)
    scale = low or high / 2**40
    steps = tuple(math.floor(STEPS * math.log2(scale * s)) for s in shape)
    while net.change([2.0 ** (step / STEPS) for step in steps], reach) > allowed:
        steps = tuple(step - 1 for step in steps)
    parts = (
        logarithm(one.energy) - math.log(2) * (1 + 2 * step / STEPS)
        for one, step in zip(net.layers, steps, strict=True)
    )
    return Noise(steps=steps, log_divergence=log_sum(*parts), log_price=math.fsum(map(log_price, steps)))


def log_budget(noise: Noise, samples: int, log_one_over_delta: float) -> float:
    """Log of what kl(share || error) may be at most."""
    log_cut = log_sum(noise.log_divergence, math.log(_ENTROPY)) - math.log(1 - TAIL)
    price = math.log(2 * math.sqrt(samples)) + log_one_over_delta + noise.log_price
    return log_sum(log_cut, math.log(price)) - math.log(samples)


@final
@BOUNDS.register("layerwise-pac-bayes")
class LayerwisePacBayes(AbstractBound):
    """The bound above, for clean inputs and once for each ball."""

    name = "layerwise-pac-bayes"
    source = "Neyshabur, Bhojanapalli, Srebro 2018, lemma 1, with Maurer 2004; noise by layers derived in lipcert"
    assumptions = (IID, RANGE, "architecture, input scaling and initial weights were chosen without these samples")

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
        fixed = described(net.norms.graph, net.noisy)
        reach = 0.0 if ball is None else moved(*ball, math.prod(net.norms.graph.input_shape))

        @cache
        def noise(step: int) -> Noise:
            return chosen_noise(net, 2.0**step / (2 * math.sqrt(2)) * (1 - 1e-12), reach)

        def spent(step: int) -> float:
            return log_budget(noise(step), len(margins), fixed + log_price(step) - math.log(evidence.failure))

        found = best_margin(margins, lambda step: 0.5 * (spent(step) - math.log(2)))
        step = round(math.log2(found.terms["margin"]))
        rate = largest_rate(found.terms["missed"], math.exp(min(spent(step), _CERTAIN)))
        sigmas = noise(step).sigmas
        terms = {
            "log10_kl": max(noise(step).log_divergence / math.log(10), -300.0),
            "smallest_noise": min(sigmas),
            "largest_noise": max(sigmas),
            "layers": float(len(sigmas)),
            "fixed_bits": fixed / math.log(2),
            "reach": reach,
        }
        return Value(log=min(found.log, math.log(rate)) if rate < 1 else found.log, terms=found.terms | terms)
