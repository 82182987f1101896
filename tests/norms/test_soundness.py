"""No random convolution escapes: the dispatcher at every effort, and every registered method by itself."""

import math
from typing import get_args

import pytest
import torch

from lipcert.norms import ENCLOSURES, LOWERS, UPPERS, Task, spectral_norm
from lipcert.operators import materialise
from lipcert.records import Effort
from tests.norms.configurations import configuration, inner

LOWER_SLACK = 1e-12
FEW, MANY = range(240), range(240, 2640)
EFFORTS = get_args(Effort)


def truth(operator) -> float:
    """The largest singular value by LAPACK, which is good to a few roundings."""
    return float(torch.linalg.svdvals(materialise(operator))[0])


def violations(seeds, check) -> list[tuple[int, str]]:
    """Every seed that breaks a bound, and how."""
    found = []
    for seed in seeds:
        operator = configuration(seed)
        found += [(seed, complaint) for complaint in check(operator, truth(operator))]
    return found


def dispatched(operator, value):
    for effort in EFFORTS:
        found = spectral_norm(operator, effort=effort)
        if found.lower > value * (1 + LOWER_SLACK) or value > found.upper:
            yield f"{effort}: {found.lower!r} <= {value!r} <= {found.upper!r} by {found.method}"


def upper_of(name):
    def check(operator, value):
        method = UPPERS[name]()
        for kind in (operator, inner(operator)):
            if math.isfinite(method.cost(kind)):
                end = method.end(kind, Task(lower=value * (1 - 1e-3)))
                if end.value < value * (1 - 1e-14):
                    yield f"{end.value!r} < {value!r} by {end.method}"

    return check


def lower_of(name):
    def check(operator, value):
        method = LOWERS[name]()
        if math.isfinite(method.cost(operator)):
            end = method.end(operator, Task())
            if end.value > value * (1 + LOWER_SLACK):
                yield f"{end.value!r} > {value!r} by {end.method}"

    return check


def enclosure_of(name):
    def check(operator, value):
        method = ENCLOSURES[name]()
        for kind in (operator, inner(operator)):
            if math.isfinite(method.cost(kind)):
                found = method.enclose(kind, Task())
                if found.lower > value * (1 + LOWER_SLACK) or value * (1 - 1e-14) > found.upper:
                    yield f"{found.lower!r} <= {value!r} <= {found.upper!r} by {found.method}"

    return check


METHODS = (
    [pytest.param(upper_of(name), id=f"upper {name}") for name in UPPERS]
    + [pytest.param(lower_of(name), id=f"lower {name}") for name in LOWERS]
    + [pytest.param(enclosure_of(name), id=f"both {name}") for name in ENCLOSURES]
)


def test_the_dispatcher_holds_the_norm():
    assert violations(FEW, dispatched) == []


@pytest.mark.parametrize("check", METHODS)
def test_each_method_holds_the_norm(check):
    assert violations(FEW[:80], check) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_dispatcher_holds_the_norm_thousands_of_times():
    assert violations(MANY, dispatched) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("check", METHODS)
def test_each_method_holds_the_norm_thousands_of_times(check):
    assert violations(MANY, check) == []


def test_the_configurations_cover_what_they_claim():
    operators = [configuration(seed) for seed in FEW]
    inners = [inner(operator) for operator in operators]
    assert any(operator is not convolution for operator, convolution in zip(operators, inners, strict=True))
    assert {len(c.size) for c in inners} == {1, 2, 3}
    assert {s for c in inners for s in c.stride} == {d for c in inners for d in c.dilation} == {1, 2, 3}
    assert {c.groups for c in inners} == {1, 2, 3, 4}
    assert any(min(c.weight.shape[:2]) >= 64 for c in inners)
    assert any(math.prod(c.size) == 1 for c in inners)
    assert any(before != after for c in inners for before, after in c.padding)
    assert any(len(set(c.kernel)) > 1 for c in inners)
