"""Circulant bounds against dense singular values, exact rational arithmetic and closed forms."""

import itertools
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.norms import LOWERS, UPPERS, Task
from lipcert.operators import ConvolutionOperator, materialise
from lipcert.operators.circulant import highest, highest_of_rows
from lipcert.operators.polyphase import polyphase
from lipcert.operators.symbol import Symbol, twists
from tests.operator_examples import convolution, random

# A dense singular value decomposition in float64 may itself err by so much.
SVD = 1e-13


def truth(operator) -> float:
    return float(torch.linalg.matrix_norm(materialise(operator), 2))


def bound(operator, **task) -> float:
    return UPPERS["twisted circulant"]().end(operator, Task(**task)).value


@st.composite
def convolutions(draw, most_channels=3, most_axes=3):
    axes = draw(st.integers(1, most_axes))
    side = 8 if axes < 3 else 3
    kernel = [draw(st.integers(1, 4 if axes < 3 else 2)) for _ in range(axes)]
    stride = [draw(st.integers(1, 3)) for _ in range(axes)]
    dilation = [draw(st.integers(1, 3)) for _ in range(axes)]
    padding = [(draw(st.integers(0, 4)), draw(st.integers(0, 4))) for _ in range(axes)]
    reach = [d * (k - 1) + 1 - sum(p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = [max(draw(st.integers(1, side)), r) for r in reach]
    groups = draw(st.integers(1, 3))
    filters = groups * draw(st.integers(1, most_channels))
    weight = random(filters, draw(st.integers(1, most_channels)), *kernel, seed=draw(st.integers(0, 10**6)))
    weight = weight.abs() if draw(st.booleans()) else weight
    return ConvolutionOperator(weight, size, stride=stride, padding=padding, dilation=dilation, groups=groups)


def holds(operator) -> None:
    """Every twist, both ways to the Gram matrix, and the method with and without a lower end."""
    value, kernel = truth(operator) * (1 - SVD), polyphase(operator)
    if kernel is None:
        assert value == 0.0
        assert bound(operator) == 0.0
        return
    symbol = Symbol(kernel.taps, kernel.grid)
    for twist, always in itertools.product(twists(kernel.grid), (False, True)):
        symbol.polynomial_pays = lambda _, always=always: always
        assert math.sqrt(highest(symbol, twist, (0.9 * value) ** 2)) >= value
    if symbol.rows == 1:
        assert math.sqrt(highest_of_rows(symbol)) >= value
    lower = LOWERS["golub-kahan"]().end(operator, Task())
    assert lower.value <= value * (1 + 1e-12)
    tight = UPPERS["one axis written out"]().end(operator, Task(lower=lower.value, witness=lower.witness)).value
    assert tight >= value
    if len(operator.size) == 1 and operator.dilation == (1,):
        assert tight <= value * (1 + 1e-3)
    assert bound(operator) >= value
    assert bound(operator, lower=lower.value, witness=lower.witness) >= value


@settings(max_examples=200, deadline=None)
@given(convolutions())
def test_it_is_never_below_the_norm(operator):
    holds(operator)


@pytest.mark.slow
@settings(max_examples=4000, deadline=None)
@given(convolutions())
def test_it_is_never_below_the_norm_in_thousands(operator):
    holds(operator)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(convolutions(most_channels=16, most_axes=2))
def test_it_is_never_below_the_norm_with_more_channels(operator):
    holds(operator)


@pytest.mark.parametrize(
    ("shape", "size", "stride", "groups"),
    [((72, 64, 3, 3), (3, 4), 1, 1), ((64, 96, 3, 2), (5, 4), 2, 1), ((128, 64, 3, 3), (3, 2), 1, 2)],
)
def test_wide_layers(shape, size, stride, groups):
    operator = convolution(random(*shape), *size, stride=stride, padding=1, groups=groups)
    value, lower = truth(operator), LOWERS["golub-kahan"]().end(operator, Task())
    for effort in ("fast", "default", "high"):
        found = bound(operator, effort=effort, lower=lower.value, witness=lower.witness)
        assert value * (1 - SVD) <= found <= 1.4 * value


def positive(matrix: list[list[Fraction]]) -> bool:
    """Whether an exact symmetric matrix is positive definite, by elimination."""
    rows = [row[:] for row in matrix]
    for i, pivot in enumerate(rows):
        if pivot[i] <= 0:
            return False
        for row in rows[i + 1 :]:
            factor = row[i] / pivot[i]
            for j in range(i, len(rows)):
                row[j] -= factor * pivot[j]
    return True


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_holds_in_exact_arithmetic(seed):
    """bound^2 I - A A' is positive definite over the rationals, the float64 weights taken at face value."""
    stride, padding, groups = 1 + seed % 2, seed % 3, 1 + seed % 2
    operator = convolution(random(2 * groups, 2, 2, 1 + seed % 3, seed=seed), 3, 2, stride=stride, padding=padding)
    operator = operator if groups == 1 else convolution(operator.weight, 3, 2, stride=stride, padding=1, groups=groups)
    rows = [[Fraction(x) for x in row] for row in materialise(operator).tolist()]
    square = Fraction(bound(operator)) ** 2
    gram = [[sum(x * y for x, y in zip(a, b, strict=True)) for b in rows] for a in rows]
    assert positive([[square * (i == j) - g for j, g in enumerate(row)] for i, row in enumerate(gram)])
    shrunk = square * Fraction(1, 4)
    assert not positive([[shrunk * (i == j) - g for j, g in enumerate(row)] for i, row in enumerate(gram)])


@pytest.mark.parametrize("polynomial", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 2), (3, 2, 3), (2, 2, 2, 2), (1, 4, 3, 2)])
def test_the_gram_matrix_is_within_its_error_of_the_exact_one(shape, polynomial):
    """On a grid of size 2 all phases are powers of i, so F F^* has rational entries."""
    taps = random(*shape, seed=sum(shape))[None]
    symbol = Symbol(taps, (2,) * (len(shape) - 2))
    exact = [[[Fraction(float(x)) for x in t] for t in row] for row in symbol.taps[0].flatten(2).tolist()]
    offsets = list(itertools.product(*map(range, symbol.lengths)))
    powers = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    for twist in twists(symbol.grid):
        frequencies = symbol.half_grid(twist)
        grams = symbol.grams(frequencies, polynomial=polynomial)[0]
        for k, gram in zip(frequencies.tolist(), grams, strict=True):
            turns = [powers[sum(a * b for a, b in zip(k, m, strict=True)) % 4] for m in offsets]
            values = [
                [tuple(sum(x * t[c] for x, t in zip(e, turns, strict=True)) for c in (0, 1)) for e in r] for r in exact
            ]
            defect = 0.0
            for (i, a), (j, b) in itertools.product(enumerate(values), repeat=2):
                real = sum(x[0] * y[0] + x[1] * y[1] for x, y in zip(a, b, strict=True))
                imaginary = sum(x[1] * y[0] - x[0] * y[1] for x, y in zip(a, b, strict=True))
                found = complex(gram[i, j])
                defect += float((Fraction(found.real) - real) ** 2 + (Fraction(found.imag) - imaginary) ** 2)
            assert math.sqrt(defect) <= symbol.gram_error(polynomial=polynomial) < 1e-11


@pytest.mark.parametrize("size", [1, 3, 5, 31, 61])
def test_two_neighbours_are_exact(size):
    """[1, 0, 1] has the norm 2 cos(pi / (n + 1)), which the twist reproduces for both peaks at once if n is odd."""
    kernel = torch.tensor([[[1.0, 0.0, 1.0]]])
    found = bound(convolution(kernel, size, padding=1))
    value = 2 * math.cos(math.pi / (size + 1))
    assert value * (1 - 1e-15) - 1e-15 <= found <= value + 1e-12


@pytest.mark.parametrize("size", [6, 7, 20])
@pytest.mark.parametrize("middle", [1.0, -1.0])
def test_peaks_at_either_end_fall_between_frequencies(size, middle):
    """[1, c, 1] peaks at angle 0 for c = 1, at pi for c = -1; for odd n + 1 the twist by pi would hit pi."""
    kernel = torch.tensor([[[1.0, middle, 1.0]]])
    operator = convolution(kernel, size, padding=1)
    value = 1 + 2 * math.cos(math.pi / (size + 1))
    assert value - 1e-13 <= bound(operator) <= value + 1e-11
    wide = convolution(torch.eye(2)[:, :, None, None] * torch.outer(kernel[0, 0], kernel[0, 0]), size, size, padding=1)
    lower = LOWERS["golub-kahan"]().end(wide, Task(effort="high"))
    found = bound(wide, lower=lower.value, witness=lower.witness)
    assert value**2 - 1e-12 <= found <= value**2 * (1 + 2e-4)


def test_zero_padding_exceeds_the_plain_grid_of_the_image():
    """The transform on the n-grid is no bound for zero padding; 5x5 kernels on 7x7 images show it."""
    exceeded = 0
    for seed in range(40):
        operator = convolution(random(1, 1, 5, 5, seed=seed), 7, 7, padding=2)
        value = truth(operator)
        plain = float(torch.fft.fft2(operator.weight[0, 0], s=(7, 7)).abs().max())
        exceeded += plain < value * (1 - 1e-6)
        assert bound(operator) >= value * (1 - SVD)
    assert exceeded >= 2


def test_nothing_but_padding():
    assert bound(convolution(random(2, 2, 1, 1), 1, 1, padding=1, stride=2)) == 0.0
    assert bound(convolution(torch.zeros(2, 2, 3, 3), 4, 4, padding=1)) == 0.0


@pytest.mark.parametrize("exponent", [-310, -200, 200, 300])
def test_tiny_and_huge_weights(exponent):
    weight = random(3, 2, 3, 3) * 10.0**exponent
    unit = convolution(weight / 10.0**exponent, 6, 6, padding=1)
    found = bound(convolution(weight, 6, 6, padding=1))
    assert truth(unit) * (1 - 1e-9) <= found / 10.0**exponent <= bound(unit) * (1 + 1e-9)


def test_weights_that_are_no_numbers_have_no_bound():
    weight = random(3, 2, 3, 3)
    weight[0, 0, 0, 0] = math.nan
    assert bound(convolution(weight, 6, 6, padding=1)) == math.inf
