"""PAC-Bayes for networks with Gaussian weights: every constant of the bound, and its arithmetic rounded upwards.

Let Q be a distribution over networks that may depend on n independent training samples, and P_1..P_G priors that may
not. With probability 1 - delta over the samples, for all Q and all g at once,

    kl(l(Q) || L(Q)) <= (KL(Q || P_g) + ln(G 2 sqrt(n) / delta)) / n,

l and L the training error and the true error of a network drawn from Q, kl that of two coins. (Maurer 2004, theorem 5,
for n >= 8, with a union over the G priors.) l(Q) is itself an average over Q. From m networks drawn from Q after Q was
fixed, with training errors e_1..e_m, it is at most each of

    the greatest p with kl(mean e || p) <= ln(2 / delta') / m           (Chernoff, variables in [0, 1])
    mean e + sqrt(2 V ln(4 / delta') / m) + 7 ln(4 / delta') / (3 (m - 1))     (Maurer and Pontil 2009, theorem 4)

with V the sample variance; each fails with probability delta' / 2. All together fails with delta + delta' at most.

Source: Dziugaite, Roy, UAI 2017; Maurer, arXiv cs/0411099; Maurer, Pontil, COLT 2009.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.rounding import gamma, sqrt_up, up

LEAST_SAMPLES = 8
_ENTRY = 64 * 2.0**-53  # relative, of one entry: squares, quotient, logarithm, each within a few units
_SLACK = 1e-12


def coin_divergence(q: float, p: float) -> float:
    """Kl of a coin with probability q from one with p, both in [0, 1]."""
    first = 0.0 if q == 0 else math.inf if p == 0 else q * math.log(q / p)
    second = 0.0 if q == 1 else math.inf if p == 1 else (1 - q) * (math.log1p(-q) - math.log1p(-p))
    return max(0.0, first + second)


def largest_rate(q: float, budget: float) -> float:
    """An upper bound on the p >= q with kl(q || p) = budget, by bisection on the side where kl is above it."""
    if q >= 1 or not math.isfinite(budget):
        return 1.0
    # The two terms of kl cancel; each is at most 745 and is known to a few units.
    beyond = budget + _SLACK * (1 + budget)
    low, high = q, 1.0
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return high
        if coin_divergence(q, middle) > beyond:
            high = middle
        else:
            low = middle


def gaussian_divergence(shift: Tensor, log_std: Tensor, log_prior_std: Tensor) -> Tensor:
    """KL of N(w_0 + shift, diag exp(2 log_std)) from N(w_0, exp(2 log_prior_std) I), in float64, rounded up.

    `log_prior_std` has shape (G,), and so has the result: one number for each prior.

    KL = 1/2 (sum(s^2 + shift^2) / t^2 - d - 2 sum log s + 2 d log t).
    """
    shift, log_std, log_prior = (value.detach().to(torch.float64) for value in (shift, log_std, log_prior_std))
    count = shift.numel()
    energy = float(((2 * log_std).exp() + shift**2).sum())
    quotient = energy * (-2 * log_prior).exp()
    spread = 2 * count * log_prior - 2 * float(log_std.sum())
    size = quotient + count + 2 * count * log_prior.abs() + 2 * float(log_std.abs().sum())
    error = size * (gamma(count + 8) + _ENTRY) * 2
    return (quotient - count + spread).clamp(min=0) / 2 + error


def bound_on_average(errors: Tensor, failure: float) -> float:
    """Upper bound on the mean of what `errors`, shape (m,), m > 1, in [0, 1], were drawn from independently."""
    count = len(errors)
    values = errors.detach().to(torch.float64).cpu()
    mean = min(1.0, up(float(values.mean()) + count * 2.0**-53))
    chernoff = largest_rate(mean, up(math.log(2 / failure)) / count)
    log = up(math.log(4 / failure))
    variance = up(float(values.var()) * (1 + gamma(4 * count + 8)))
    bernstein = mean + sqrt_up(2 * variance * log / count) + 7 * log / (3 * (count - 1))
    return min(1.0, chernoff, bernstein * (1 + _SLACK))


def bound_on_error(train_error: float, divergence: float, samples: int, failure: float) -> float:
    """Upper bound on L(Q): `train_error` is at least l(Q), `divergence` at least KL + ln G. At least 8 samples."""
    if samples < LEAST_SAMPLES:
        raise ValueError(f"{samples} samples; the theorem needs {LEAST_SAMPLES}")
    budget = (divergence + math.log(2 * math.sqrt(samples) / failure)) / samples
    return largest_rate(train_error, budget * (1 + _SLACK))
