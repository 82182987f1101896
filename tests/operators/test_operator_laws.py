"""Laws every operator obeys."""

import pytest
import torch

from lipcert.operators import materialise
from lipcert.rounding import gamma
from tests.operator_examples import EXAMPLES, random

operators = pytest.mark.parametrize("name", EXAMPLES)


def _pair(name: str, batch: int = 3):
    operator = EXAMPLES[name]
    return operator, random(batch, *operator.in_shape, seed=1), random(batch, *operator.out_shape, seed=2)


@operators
def test_the_adjoint_is_the_transpose(name):
    operator, x, y = _pair(name)
    ax, aty = operator.apply(x), operator.adjoint(y)
    assert ax.shape == (3, *operator.out_shape)
    assert aty.shape == (3, *operator.in_shape)
    assert ax.dtype == aty.dtype == torch.float64
    left, right = (ax * y).flatten(1).sum(1), (x * aty).flatten(1).sum(1)
    torch.testing.assert_close(left, right, rtol=1e-11, atol=1e-11)


@operators
def test_it_is_linear(name):
    operator, x, _ = _pair(name)
    together = operator.apply(2.0 * x[:1] - 3.0 * x[1:2])
    torch.testing.assert_close(together, 2.0 * operator.apply(x[:1]) - 3.0 * operator.apply(x[1:2]))


@operators
def test_it_equals_its_matrix(name):
    operator, x, y = _pair(name)
    matrix = materialise(operator, chunk=5)
    assert matrix.shape == (operator.out_size, operator.in_size)
    torch.testing.assert_close(operator.apply(x).flatten(1), x.flatten(1) @ matrix.T)
    torch.testing.assert_close(operator.adjoint(y).flatten(1), y.flatten(1) @ matrix)


@operators
@pytest.mark.parametrize("power", [1, 2])
def test_powers_are_entrywise(name, power):
    operator = EXAMPLES[name]
    powered = operator.powered(power)
    assert (powered.in_shape, powered.out_shape) == (operator.in_shape, operator.out_shape)
    torch.testing.assert_close(materialise(powered), materialise(operator).abs() ** power)


@operators
def test_mixed_operators_answer_in_float32(name):
    operator, x, y = _pair(name)
    if not operator.mixed:
        return
    for found, exact in (
        (operator.apply(x.float()), operator.apply(x)),
        (operator.adjoint(y.float()), operator.adjoint(y)),
    ):
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), exact, rtol=1e-4, atol=1e-4)


@operators
def test_rounding_is_within_the_stated_terms(name):
    """Two orders of summation differ by no more than both may err."""
    operator, x, _ = _pair(name)
    matrix = materialise(operator)
    scale = x.flatten(1).abs() @ matrix.abs().T
    other = (x.flatten(1)[:, None, :] * matrix).flip(-1).cumsum(-1)[..., -1]
    assert ((operator.apply(x).flatten(1) - other).abs() <= 2 * gamma(operator.in_size + operator.terms) * scale).all()
