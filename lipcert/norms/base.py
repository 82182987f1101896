"""How the spectral norm of an operator is enclosed: methods compete, the cheapest sound route wins.

Four families, each a registry filled by one file a method:

ENCLOSURES  give both ends at once: closed forms, structure that reduces to smaller operators, dense matrices
LOWERS      give a lower end, with a witness vector
UPPERS      give an upper end, with a proof
RANDOMISED  give an upper end that fails with a stated, tiny probability

If an enclosure is affordable the cheapest one is the answer. Otherwise every affordable lower method runs, and the
affordable upper methods from the cheapest on, until one is within the gap that the effort asks for; the best of each
side is kept. Only where the proved ends are further apart than the effort asks for may a
randomised end stand in for the proved one, which the method then names.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from lipcert.operators import AbstractLinearOperator
from lipcert.records import Effort, Enclosure, Soundness
from lipcert.registry import Registry
from lipcert.rounding import UNIT_ROUNDOFF, down, gamma, product_up, sqrt_up, sum_up, up

# Relative error an entry may carry before a norm sees it: a folded batch norm costs up to six roundings
# (sum, root, quotient, product, and the float64 constants themselves), the reciprocals of pooling one.
ENTRY_ERROR = 8 * UNIT_ROUNDOFF

# The smallest positive float64: more than underflow takes from one product, and sums lose nothing to it.
TINY = 2.0**-1074

# Multiplications one method may spend on one operator, at the pace of a convolution in float64: about 5e9 a second on
# two cores. A product of matrices runs seven times as fast.
BUDGETS: dict[Effort, float] = {"fast": 2e10, "default": 8e10, "high": 8e11}
MATRIX_PACE = 1 / 7

# Relative gap at which the search for a smaller proved upper end stops.
GOALS: dict[Effort, float] = {"fast": 1e-1, "default": 1e-2, "high": 1e-3}

# Relative gap above which a randomised upper end is sought.
GAPS: dict[Effort, float] = {"fast": math.inf, "default": 1e-2, "high": 1e-3}

# Probability that a randomised upper end is wrong: a hundred of them together stay within 1e-12.
FAILURE = 1e-14


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What a method may know besides its operator.

    lower      best lower end known so far; certificates that test a guess start from it
    witness    the input that gave it, near a first singular vector
    tolerance  relative accuracy of the lower end that is worth iterations
    failure    probability with which a randomised end may be wrong; 0 asks for proofs alone
    """

    effort: Effort = "default"
    seed: int = 0
    lower: float = 0.0
    witness: Tensor | None = None
    tolerance: float = 1e-4
    failure: float = FAILURE

    @property
    def goal(self) -> float:
        """Relative gap at which a proved upper end is close enough."""
        return GOALS[self.effort]

    @property
    def gap(self) -> float:
        """Relative gap that is worth a randomised end."""
        return GAPS[self.effort]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class End:
    """One end of an enclosure and how it was had; a lower end also has the input that reaches it."""

    value: float
    method: str
    soundness: Soundness = Soundness.PROVED
    failure_probability: float = 0.0
    witness: Tensor | None = None


class AbstractEnclosure(ABC):
    """A method that gives both ends."""

    @abstractmethod
    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Multiplications needed, roughly; infinite where the method does not apply."""

    @abstractmethod
    def enclose(self, operator: AbstractLinearOperator, task: Task, /) -> Enclosure:
        """Both ends for the operator as its float64 numbers stand."""


class AbstractEnd(ABC):
    """A method that gives one end."""

    @abstractmethod
    def cost(self, operator: AbstractLinearOperator, /) -> float:
        """Multiplications needed, roughly; infinite where the method does not apply."""

    @abstractmethod
    def end(self, operator: AbstractLinearOperator, task: Task, /) -> End:
        """The end for the operator as its float64 numbers stand."""


ENCLOSURES: Registry[type[AbstractEnclosure]] = Registry("enclosing norm method")
LOWERS: Registry[type[AbstractEnd]] = Registry("lower norm method")
UPPERS: Registry[type[AbstractEnd]] = Registry("upper norm method")
RANDOMISED: Registry[type[AbstractEnd]] = Registry("randomised norm method")


def spectral_norm(
    operator: AbstractLinearOperator, *, effort: Effort = "default", seed: int = 0, failure: float = FAILURE
) -> Enclosure:
    """Enclosure of the largest singular value, for any operator whose entries are within ENTRY_ERROR of this one's.

    An entrywise relative error e moves the norm by at most e * || |A| ||, which `magnitude` bounds; in a chain of k
    operators it is (1 + e)^k - 1, by the same rule as for rounding.
    """
    task = Task(effort=effort, seed=seed, failure=failure)
    found = enclose(operator, task)
    slack = product_up((entry_error(operator), magnitude(operator)))
    assert found.upper is not None
    upper = up(found.upper + slack) if found.upper else 0.0
    return replace(found, lower=max(0.0, down(found.lower - slack)), upper=upper)


def enclose(operator: AbstractLinearOperator, task: Task) -> Enclosure:
    """Enclosure of the spectral norm of the operator as its float64 numbers stand; methods call it for their parts."""
    budget = BUDGETS[task.effort]
    affordable = [(method.cost(operator), method) for method in (kind() for kind in ENCLOSURES.values())]
    price, best = min(affordable, key=lambda pair: pair[0], default=(math.inf, None))
    if best is not None and price <= budget:
        return best.enclose(operator, task)
    lower = max(_ends(LOWERS, operator, task), key=lambda end: end.value, default=End(value=0.0, method="zero"))
    # The last resort is a product of row and column sums, which applies to every operator that knows its entries.
    known = replace(task, lower=lower.value, witness=lower.witness)
    upper = _proved(operator, known)
    if task.failure and upper.value > lower.value * (1.0 + task.gap):
        upper = _randomised(operator, known, upper)
    return Enclosure(
        lower=lower.value,
        upper=upper.value,
        soundness=upper.soundness,
        failure_probability=upper.failure_probability,
        method=f"{lower.method} / {upper.method}",
    )


def _proved(operator: AbstractLinearOperator, task: Task) -> End:
    """The best upper end of the affordable methods, the cheapest first, up to the first that is close enough."""
    priced = sorted(((kind().cost(operator), name) for name, kind in UPPERS.items()), key=lambda pair: pair[0])
    best: End | None = None
    for price, name in priced:
        if best is not None and (price > BUDGETS[task.effort] or best.value <= task.lower * (1.0 + task.goal)):
            break
        end = UPPERS[name]().end(operator, task)
        best = end if best is None or end.value < best.value else best
    assert best is not None
    return best


def _randomised(operator: AbstractLinearOperator, task: Task, proved: End) -> End:
    """The best randomised end where it is below the proved one, with the proved one in its method's name."""
    best = min([proved, *_ends(RANDOMISED, operator, task)], key=lambda end: end.value)
    if best is proved:
        return proved
    return replace(best, method=f"{best.method} (proved: {proved.value:.5g} by {proved.method})")


def _ends(family: Registry[type[AbstractEnd]], operator: AbstractLinearOperator, task: Task) -> list[End]:
    budget = BUDGETS[task.effort]
    methods = [kind() for kind in family.values()]
    return [method.end(operator, task) for method in methods if method.cost(operator) <= budget]


def entry_error(operator: AbstractLinearOperator) -> float:
    """Relative error of an entry, with respect to the majorant's: (1 + ENTRY_ERROR)^depth - 1."""
    return ENTRY_ERROR if operator.depth == 1 else up(gamma(8 * operator.depth))


def rounded_sum(operator: AbstractLinearOperator, *, transposed: bool = False) -> float:
    """Upper bound on the largest row sum (column sum if `transposed`) of an operator without negative entries."""
    shape = operator.out_shape if transposed else operator.in_shape
    ones = torch.ones(1, *shape, dtype=torch.float64, device=operator.device)
    sums = operator.adjoint(ones) if transposed else operator.apply(ones)
    return product_up((float(sums.max()), up(1.0 + gamma(operator.terms + 1)))) if sums.numel() else 0.0


def magnitude(operator: AbstractLinearOperator) -> float:
    """Upper bound on || |A| ||_2: the root of the largest row sum times the largest column sum of the majorant.

    Every rounding error of `apply` and `adjoint` is bounded by gamma(terms) times it. Source: Schur's test.
    """
    absolute = operator.majorant()
    # Two roots: the product of the sums may overflow where their mean does not.
    return product_up((sqrt_up(rounded_sum(absolute)), sqrt_up(rounded_sum(absolute, transposed=True))))


def witnessed(operator: AbstractLinearOperator, vector: Tensor) -> float:
    """A lower end from any nonzero input: ||A v|| / ||v||, less gamma(terms) || |A| || for the rounding of A v."""
    value = operator.apply(vector[None])
    reached = length_down(float(value.square().sum()), value.numel())
    length = length_up(float(vector.square().sum()), vector.numel())
    error = product_up((gamma(operator.terms + 2), magnitude(operator)))
    return max(0.0, down(down(reached / length) - error)) if length else 0.0


def length_up(squares: float, count: int) -> float:
    """Upper bound on a length from its computed square, a sum of `count` squares, each of which may underflow."""
    return sqrt_up(sum_up((squares, product_up((squares, gamma(count + 1))), count * TINY)))


def length_down(squares: float, count: int) -> float:
    """Lower bound on a length from its computed square, a sum of `count` squares, each of which may underflow.

    A square that overflowed says nothing.
    """
    if not math.isfinite(squares):
        return 0.0
    return max(0.0, down(math.sqrt(max(0.0, down(down(squares * down(1.0 - gamma(count + 1))) - count * TINY)))))
