"""Enclosures of the spectral norm against dense singular values and closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.errors import EnclosureError
from lipcert.norms import ENCLOSURES, LOWERS, UPPERS, Task, spectral_norm
from lipcert.norms.base import ENTRY_ERROR
from lipcert.norms.golub_kahan import GolubKahan
from lipcert.operators import AdjointOperator, BlockDiagonalOperator, ConvolutionOperator, DenseOperator, materialise
from lipcert.records import Soundness
from tests.operator_examples import EXAMPLES, convolution, random

SLACK = 1e-13


def truth(operator) -> float:
    return float(torch.linalg.matrix_norm(materialise(operator), 2))


def agrees(lower: float, value: float, upper: float) -> bool:
    """The reference itself is only good to a few roundings."""
    return lower <= value * (1 + SLACK) + 1e-300 and value * (1 - SLACK) <= upper


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_answer_holds_the_norm(name):
    found, value = spectral_norm(EXAMPLES[name]), truth(EXAMPLES[name])
    assert agrees(found.lower, value, found.upper)
    assert found.gap < 1e-8
    assert found.soundness is Soundness.EXACT


@pytest.mark.parametrize(
    ("name", "method"),
    [
        (name, method)
        for name in EXAMPLES
        for method in ENCLOSURES
        if ENCLOSURES[method]().cost(EXAMPLES[name]) < math.inf
    ],
)
def test_every_enclosing_method_holds_the_norm(name, method):
    operator = EXAMPLES[name]
    found = ENCLOSURES[method]().enclose(operator, Task())
    assert agrees(found.lower, truth(operator), found.upper)
    assert found.gap < 1e-8


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("family", [LOWERS, UPPERS])
def test_every_end_is_on_its_side(name, family):
    operator, value = EXAMPLES[name], truth(EXAMPLES[name])
    for method in family.values():
        if math.isinf(method().cost(operator)):
            continue
        end = method().end(operator, Task())
        assert agrees(*((end.value, value, math.inf) if family is LOWERS else (0.0, value, end.value)))


@st.composite
def convolutions(draw):
    axes = draw(st.integers(1, 2))
    kernel = [draw(st.integers(1, 4)) for _ in range(axes)]
    stride = [draw(st.integers(1, 3)) for _ in range(axes)]
    dilation = [draw(st.integers(1, 3)) for _ in range(axes)]
    padding = [(draw(st.integers(0, 4)), draw(st.integers(0, 4))) for _ in range(axes)]
    size = [
        max(draw(st.integers(1, 8)), d * (k - 1) + 1 - sum(p))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    groups = draw(st.integers(1, 3))
    weight = random(
        groups * draw(st.integers(1, 3)), draw(st.integers(1, 3)), *kernel, seed=draw(st.integers(0, 10**6))
    )
    weight = weight.abs() if draw(st.booleans()) else weight
    operator = ConvolutionOperator(weight, size, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return AdjointOperator(operator) if draw(st.booleans()) else operator


@settings(max_examples=150, deadline=None)
@given(convolutions())
def test_no_convolution_escapes(operator):
    value = truth(operator)
    inner = operator.inner if isinstance(operator, AdjointOperator) else operator
    for method in UPPERS.values():
        if math.isfinite(method().cost(inner)):
            assert agrees(0.0, value, method().end(inner, Task()).value)
    for method in LOWERS.values():
        assert agrees(method().end(inner, Task()).value, value, math.inf)
    for method in ENCLOSURES.values():
        if math.isfinite(method().cost(inner)):
            found = method().enclose(inner, Task())
            assert agrees(found.lower, value, found.upper)
            assert found.gap < 1e-8 or value < 1e-300


@pytest.mark.slow
@settings(max_examples=4000, deadline=None)
@given(convolutions())
def test_no_convolution_escapes_in_thousands(operator):
    found = spectral_norm(operator)
    assert agrees(found.lower, truth(operator), found.upper)
    inner = operator.inner if isinstance(operator, AdjointOperator) else operator
    for method in UPPERS.values():
        if math.isfinite(method().cost(inner)):
            assert agrees(0.0, truth(operator), method().end(inner, Task()).value)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.integers(-200, 200), st.integers(0, 10**6))
def test_no_stack_of_matrices_escapes(rows, columns, blocks, exponent, seed):
    matrices = random(blocks, rows, columns, seed=seed) * 10.0**exponent
    operator = BlockDiagonalOperator([DenseOperator(matrix) for matrix in matrices])
    value = float(torch.linalg.svdvals(matrices / 10.0**exponent).max()) * 10.0**exponent
    for name in ("gram", "cholesky"):
        found = ENCLOSURES[name]().enclose(operator, Task())
        assert agrees(found.lower, value, found.upper)
        assert found.gap < 1e-8


def test_close_singular_values_are_told_from_the_largest():
    """A cluster at the top, where Lanczos converges slowly and a certificate must not accept a guess below it."""
    left, _ = torch.linalg.qr(random(40, 40))
    right, _ = torch.linalg.qr(random(60, 40, seed=1))
    values = 1.0 - torch.arange(40, dtype=torch.float64) * 1e-9
    matrix = left @ torch.diag(values) @ right.T
    for name in ("gram", "cholesky"):
        found = ENCLOSURES[name]().enclose(DenseOperator(matrix), Task())
        assert found.lower <= 1.0 + SLACK
        assert found.upper >= 1.0 - SLACK
        assert found.gap < 1e-7


@pytest.mark.parametrize("size", [1, 5, 8, 28])
def test_all_ones_kernel(size):
    """The zero-padded window sum is a Kronecker square of a tridiagonal matrix: (1 + 2 cos(pi / (n + 1)))^2."""
    found = spectral_norm(convolution(torch.ones(1, 1, 3, 3), size, size, padding=1))
    assert agrees(found.lower, (1 + 2 * math.cos(math.pi / (size + 1))) ** 2, found.upper)
    assert found.gap < 1e-8


def test_identity_kernel():
    kernel = torch.zeros(1, 1, 3, 3)
    kernel[0, 0, 1, 1] = 1.0
    for size in (4, 60):
        found = spectral_norm(convolution(kernel, size, size, padding=1))
        assert found.lower <= 1.0 <= found.upper
    assert spectral_norm(convolution(kernel, 4, 4, padding=1)).gap < 1e-12


@pytest.mark.parametrize("groups", [1, 2])
def test_patches_side_by_side_have_the_norm_of_the_kernel_matrix(groups):
    operator = convolution(random(6, 4 // groups, 4, 4), 64, 64, stride=4, groups=groups)
    found = spectral_norm(operator)
    kernel = operator.weight.reshape(groups, 6 // groups, -1)
    assert agrees(found.lower, float(torch.linalg.svdvals(kernel).max()), found.upper)
    assert found.gap < 1e-8


def test_stride_and_dilation_with_a_common_divisor():
    """Taps of a dilated kernel fall on one phase: counting ceil(k / s) patches an input would be unsound."""
    operator = convolution(torch.ones(1, 1, 3, 3), 12, 12, stride=3, dilation=3)
    value = truth(operator)
    naive = 1.0 * 3.0
    assert value > 1.5 * naive
    assert UPPERS["unfold"]().end(operator, Task()).value >= value * (1 - SLACK)


def test_a_large_layer_is_enclosed_by_its_ends():
    operator = convolution(random(16, 16, 3, 3), 32, 32, padding=1)
    found = spectral_norm(operator)
    assert found.method == "golub-kahan / twisted circulant"
    assert found.soundness is Soundness.PROVED
    assert 0 < found.gap < 1e-2
    thorough = LOWERS["golub-kahan"]().end(operator, Task(effort="high", tolerance=1e-9)).value
    assert found.lower <= thorough <= found.upper
    assert found.lower >= thorough * (1 - 1e-2)


def test_it_is_deterministic_and_obeys_its_seed():
    operator = convolution(random(8, 8, 3, 3), 40, 40, padding=1)
    assert spectral_norm(operator, seed=3) == spectral_norm(operator, seed=3)
    assert spectral_norm(operator, seed=3).lower != spectral_norm(operator, seed=4).lower


def test_entries_may_be_off_by_the_stated_error():
    matrix = random(5, 7)
    found = spectral_norm(DenseOperator(matrix))
    for sign in (1.0, -1.0):
        moved = DenseOperator(matrix * (1.0 + sign * ENTRY_ERROR))
        assert agrees(found.lower, truth(moved), found.upper)


def test_contradictory_ends_are_reported():
    """The record refuses an enclosure turned inside out, so a broken method cannot hide."""
    with pytest.raises(EnclosureError):
        type(spectral_norm(EXAMPLES["dense"]))(lower=2.0, upper=1.0, soundness=Soundness.PROVED, method="broken")


@pytest.mark.parametrize("size", [5e-324, 1e-170, 1.6e-162, 1e-155, 1e-30, 1e30, 1e153, 1e160, 8e307])
def test_huge_and_tiny_entries_are_enclosed(size):
    """The matrix of one number has its norm; squares under- and overflow on the way to it."""
    found = spectral_norm(DenseOperator(torch.full((1, 2), size, dtype=torch.float64)))
    assert found.lower <= math.sqrt(2.0) * size <= found.upper * (1 + 1e-15)
    kernel = convolution(torch.full((1, 1, 3, 3), size / 9, dtype=torch.float64), 70, 70, padding=1)
    value = size / 9 * (1 + 2 * math.cos(math.pi / 71)) ** 2
    for found in (GolubKahan().end(kernel, Task()), GolubKahan().end(kernel, Task(tolerance=1e-6))):
        assert found.value <= value * (1 + 1e-15)
    assert spectral_norm(kernel).upper >= value * (1 - 1e-15)
