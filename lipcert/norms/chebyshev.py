"""An upper end for any operator that can be applied: random starts and a Chebyshev polynomial, true but for bad luck.

Let s be the norm of A (m x n), u a first right singular vector, c > 0, B = (c / 2) A'A - 1, and b a guess with
x = c b^2 / 2 - 1 > 1. Draw r starts V = (v_1 ... v_r) and form W = T_k(B) V by the three-term recurrence. If s >= b
then u is an eigenvector of B with eigenvalue at least x, where T_k grows, so ||W||_F >= ||u'W|| >= T_k(x) ||u'V||:
a small ||W||_F proves s < b unless V is almost orthogonal to u. That event depends on V alone, so one failure
probability covers all k, all guesses and any choice made on the way. Only r must be chosen without knowing V, so V has
a stream of random numbers of its own.

Luck. The entries of V are independent and uniform on [-1, 1]. No density of a single u'v_i exceeds 1 / sqrt(2): it is
half the largest section of a unit cube, sqrt(2) (Ball, Cube slicing in R^n, Proc. AMS 97 (1986)). So
    P(||u'V|| <= t) <= 2^(-r/2) t^r pi^(r/2) / Gamma(r/2 + 1).
What is used instead are the entries rounded down to multiples of 2^-53, which is what a generator of uniform integers
gives: that moves ||u'V|| by at most 2^-53 sqrt(r n). The assumption is that the generator's integers are independent
and uniform, and that the operator was fixed before the seed.

Rounding. Let T_j be the computed vectors (T_0 = V), G = gamma(terms) and M >= || |A| ||. In step j let a be the
computed A T_{j-1} and b the computed A'a. Then |fl(A x) - A x| <= G |A| |x| and the three roundings of the recurrence
give T_j = 2 B T_{j-1} - T_{j-2} + E_j with
    ||u'E_j|| <= c G M (s ||T_{j-1}|| + ||a||) + gamma(3) (c ||b|| + 2 ||T_{j-1}|| + ||T_{j-2}||),
all norms being those of the computed numbers, and ||b|| <= (1 + G) M ||a||. By linearity the error E_j reaches step k
through the Chebyshev polynomial U_{k-j} of the second kind:
    u'T_k = T_k(x_s) u'V + sum_j U_{k-j}(x_s) u'E_j,    x_s = c s^2 / 2 - 1.
With x = cosh(f) and y = e^f, U_{k-j}(x) / T_k(x) = sinh((k-j+1) f) / (sinh(f) cosh(k f)) <= y^(1-j) / sinh(f): what an
early error becomes, the start becomes too. Both that and s / sinh(f) fall as s grows, hence for every s >= b
    ||T_k||_F >= T_k(x) (t - D),    D = 2^-53 sqrt(r n) + sum_j y^(1-j) / sinh(f) * bound on ||u'E_j|| at s = b,
and the certificate is: ||T_k||_F < y^k / 2 (t - D) implies s < b. Nothing needs an a priori bound of s. D is about
G M / s * sqrt(r n) / f^2, which for one start drowns t = 1e-14; for r starts t is about failure^(1/r), so two or three
starts of lower degree replace one, at a sixth more work. Underflow adds far less than 2^-300 to a step, because powers
of two keep the iteration near 1.
Sources: Dixon, Estimating extremal eigenvalues and condition numbers of matrices, SIAM J. Numer. Anal. 20 (1983) for
random starts; the rest is proved above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.norms.base import BUDGETS, RANDOMISED, AbstractEnd, End, Task, length_up, magnitude
from lipcert.operators import AbstractLinearOperator, AdjointOperator
from lipcert.records import Soundness
from lipcert.rounding import down, gamma, product_up, sqrt_up, sum_up, up

# Norms beyond which the iteration might under- or overflow.
_RANGE = 2.0**-400, 2.0**400
_UNDERFLOW = 2.0**-300
# Steps that any use of the method takes, at two starts.
_FEWEST = 40
_MOST_STARTS = 16
# Where between the lower end and the guess the polynomial's interval ends: a twentieth of the way costs a fortieth of
# the degree, and keeps singular values just above the lower end from growing.
_HEADROOM = 0.05
# Part of the gap asked for that is aimed at: the account of entry errors still comes on top.
_AIM = 0.95
# Keeps the starts apart from whatever else was drawn with the same seed, such as the lower end's start.
_STREAM = 0x5851F42D4C957F2D
# Far more than the mathematical library loses in a root and a Gamma function.
_LIBRARY = 1e-12


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be shown and how; all in units of `scale`, a power of two near the norm.

    factor  c, which puts the interval [0, 4 / c] of A'A on [-1, 1]
    guess   the claim
    starts  columns of V
    steps   the largest degree that is worth it
    luck    t, the lower bound of ||u'V|| that fails with the task's probability
    """

    scale: float
    factor: float
    guess: float
    starts: int
    steps: int
    luck: float


@final
@RANDOMISED.register("chebyshev")
class Chebyshev(AbstractEnd):
    """The smallest guess that the random starts confirm."""

    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Two applications a step and start; more steps are made as the budget allows."""
        return 4.0 * _FEWEST * operator.work

    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """The bound; infinite where the lower end is zero or extreme. Raises NotImplementedError without a majorant."""
        value = math.inf
        if _RANGE[0] < task.lower < _RANGE[1]:
            operator = AdjointOperator(operator) if operator.in_size > operator.out_size else operator
            rounding = product_up((gamma(operator.terms + 2), magnitude(operator)))
            plan = make_plan(operator, task, rounding)
            value = product_up((Recurrence(operator, plan, rounding, task.seed).bound(), plan.scale))
        return End(
            value=value,
            method="random-start chebyshev",
            soundness=Soundness.PROBABILISTIC,
            failure_probability=task.failure,
        )


def luck(starts: int, failure: float) -> float:
    """The t with P(||u'V|| <= t) <= failure for the ideal starts, rounded down."""
    volume = failure * math.gamma(starts / 2 + 1)
    return math.sqrt(2 / math.pi) * math.pow(volume, 1 / starts) * (1 - _LIBRARY)


def make_plan(operator: AbstractLinearOperator, task: Task, rounding: float) -> Plan:
    """The fewest starts whose luck stands clear of the rounding, and the smallest guess that the budget allows."""
    scale = 2.0 ** math.frexp(task.lower)[1]
    lower, affordable = task.lower / scale, BUDGETS[task.effort] / (2.0 * operator.work + 1.0)
    for starts in range(1, _MOST_STARTS + 1):
        threshold = luck(starts, task.failure)
        length = math.sqrt(starts * operator.in_size / 3.0)
        needed = math.log(max(4.0, 2.0 * length / threshold))
        # A degree k confirms guesses 1 + g times the interval's end with cosh(needed / k)^2 = (1 + g)^2.
        gap = max(_AIM * task.gap, 1.25 * (needed * starts / affordable) ** 2 / 8.0)
        rate = math.acosh(1.0 + gap * (1.0 - _HEADROOM))
        # Eight is c G M (s + ||A||) in units of G M / s, two the angle f that belongs to the rate.
        noise = (8.0 * rounding / task.lower + gamma(16)) * length / (2.0 * rate) ** 2
        if noise < threshold / 2.0:
            break
    end = lower * (1.0 + _HEADROOM * gap)
    return Plan(
        scale=scale,
        factor=4.0 / (end * end),
        guess=lower * (1.0 + gap),
        starts=starts,
        steps=min(max(2, int(1.3 * needed / (2.0 * rate)) + 2), max(2, int(affordable / starts))),
        luck=threshold,
    )


def starts_of(operator: AbstractLinearOperator, count: int, seed: int) -> Tensor:
    """(count, *in_shape): uniform multiples of 2^-53 in [-1, 1), exact in float64."""
    generator = torch.Generator().manual_seed((seed + _STREAM) % 2**63)
    whole = torch.randint(-(2**53), 2**53, (count, *operator.in_shape), generator=generator)
    return (whole.to(torch.float64) * 2.0**-53).to(operator.device)


def growth(factor: float, guess: float) -> tuple[float, float]:
    """Lower bounds of y = e^f and sinh(f), with cosh(f) = factor guess^2 / 2 - 1; (1, 0) where that is at most 1."""
    half = down(down(guess * guess) * (factor / 2.0))
    if half <= 2.0:
        return 1.0, 0.0
    root = max(0.0, down(math.sqrt(max(0.0, down(half * down(half - 2.0))))))
    return max(1.0, down(down(half - 1.0) + root)), root


@final
class Recurrence:
    """T_0, T_1, ... with the account of their rounding. `rounding` is gamma(terms) || |A| || or more."""

    def __init__(self, operator: AbstractLinearOperator, plan: Plan, rounding: float, seed: int) -> None:
        self.operator, self.plan = operator, plan
        self.rounding = up(rounding / plan.scale)
        self.magnitude = up(magnitude(operator) / plan.scale)
        self.rate, self.sinh = growth(plan.factor, plan.guess)
        self.now = starts_of(operator, plan.starts, seed)
        self.before = torch.zeros_like(self.now)
        self.lengths = 0.0, _length(self.now)
        # Upper bounds of D and of y^(1-j), a lower bound of y^j.
        self.drift = product_up((2.0**-53, sqrt_up(float(self.now.numel()))))
        self.decay, self.power = 1.0, 1.0

    def bound(self) -> float:
        """The guess as soon as it is confirmed, otherwise the smallest number the last step confirms."""
        if not self.sinh:
            return math.inf
        for step in range(1, self.plan.steps + 1):
            self._advance(step)
            if not math.isfinite(self.lengths[1]):
                return math.inf
            room = down(self.plan.luck - self.drift)
            if 2.0 * self.lengths[1] < down(self.power * room):
                return self.plan.guess
        return self._confirmed(room) if room > 0.0 else math.inf

    def _advance(self, step: int) -> None:
        """One step of the recurrence, and the error it made."""
        first, scale = step == 1, self.plan.scale
        half = self.operator.apply(self.now) / scale
        reached = _length(half)
        after = (self.operator.adjoint(half) / scale).mul_(self.plan.factor / (2.0 if first else 1.0))
        after.sub_(self.now, alpha=1.0 if first else 2.0).sub_(self.before)
        self.drift = sum_up((self.drift, product_up((self.decay, up(self._error(reached) / self.sinh)))))
        self.decay = product_up((self.decay, up(1.0 / self.rate)))
        self.power = down(self.power * self.rate)
        self.before, self.now = self.now, after
        self.lengths = self.lengths[1], _length(after)

    def _error(self, reached: float) -> float:
        """The bound on ||u'E_j|| at s = guess, for `reached` = ||a||."""
        before, now = self.lengths
        applied = product_up((self.plan.factor, self.rounding, sum_up((product_up((self.plan.guess, now)), reached))))
        # (1 + G) M ||a||, with 1 + G below 2.
        back = product_up((2.0, self.magnitude, self.plan.factor, reached))
        return sum_up((applied, product_up((gamma(3), sum_up((back, 2.0 * now, before)))), _UNDERFLOW))

    def _confirmed(self, room: float) -> float:
        """The smallest guess, up to a hair, with y^k / 2 * room > ||T_k||; D of a smaller guess serves larger ones."""
        ratio = 2.0 * self.lengths[1] / room
        rate = max(1.0, ratio) ** (1.0 / self.plan.steps)
        guess = max(self.plan.guess, math.sqrt((rate + 1.0 / rate + 2.0) / self.plan.factor))
        for _ in range(64):
            rate, power = growth(self.plan.factor, guess)[0], 1.0
            for _ in range(self.plan.steps):
                power = down(power * rate)
            if 2.0 * self.lengths[1] < down(power * room):
                return guess
            guess = product_up((guess, 1.0 + 1e-12))
        return math.inf


def _length(x: Tensor) -> float:
    """Upper bound on the Frobenius norm."""
    flat = x.reshape(-1)
    return length_up(float(flat @ flat), flat.numel())
