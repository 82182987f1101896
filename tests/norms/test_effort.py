"""More effort buys a smaller gap, and the lower end is as good as a converged one."""

import math

import pytest
import torch

from lipcert.norms import LOWERS, UPPERS, Task, spectral_norm
from lipcert.norms.base import BUDGETS, GOALS
from lipcert.operators import AdjointOperator, ConvolutionOperator
from lipcert.operators.wave import plane_wave
from tests.operator_examples import convolution, random


def smooth(filters: int, channels: int, side: int):
    """Gaussian weights on a low-pass kernel of low rank: a sharp peak at angle 0."""
    window = torch.hann_window(side + 2, periodic=False, dtype=torch.float64)[1:-1]
    mixed = random(filters, 3, seed=1) @ random(3, channels, seed=2)
    return mixed[:, :, None, None] * torch.outer(window, window) + 0.3 * random(filters, channels, side, side)


LAYERS = {
    "gaussian": convolution(random(16, 16, 3, 3), 32, 32, padding=1),
    "smooth": convolution(smooth(16, 16, 3), 32, 32, padding=1),
    "strided": convolution(random(24, 8, 5, 5), 48, 48, padding=2, stride=2),
    "dilated": convolution(random(12, 12, 3, 3), 40, 40, padding=2, dilation=2),
    "grouped": convolution(random(24, 6, 3, 3), 36, 36, padding=1, groups=4),
    "long": convolution(random(12, 6, 7), 2000, padding=3, stride=2),
    "solid": convolution(random(6, 6, 3, 3, 3), 12, 12, 12, padding=1),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_lower_end_is_as_good_as_a_converged_one(name):
    operator = LAYERS[name]
    found = LOWERS["golub-kahan"]().end(operator, Task())
    converged = LOWERS["golub-kahan"]().end(operator, Task(effort="high", tolerance=1e-8)).value
    assert converged * (1 - 1e-4) <= found.value <= UPPERS["twisted circulant"]().end(operator, Task()).value
    assert found.witness.shape == operator.in_shape
    reached = float(operator.apply(found.witness[None]).norm() / found.witness.norm())
    assert reached >= found.value * (1 - 1e-3)


@pytest.mark.parametrize("name", LAYERS)
def test_a_plane_wave_is_a_good_start(name):
    """It beats forty steps of power iteration's own start by far, whatever the geometry."""
    operator = LAYERS[name]
    wave, noise = plane_wave(operator), random(*operator.in_shape, seed=3)
    norm = spectral_norm(operator).lower
    reached, random_start = (float(operator.apply(x[None]).norm() / x.norm()) for x in (wave, noise))
    assert reached >= 0.9 * norm
    assert random_start < 0.8 * norm


def test_there_is_no_wave_for_a_zero_operator():
    assert plane_wave(convolution(torch.zeros(2, 2, 3, 3), 30, 30, padding=1)) is None


@pytest.mark.parametrize("name", LAYERS)
def test_every_effort_reaches_its_gap(name):
    gaps = {effort: spectral_norm(LAYERS[name], effort=effort).gap for effort in BUDGETS}
    assert gaps["fast"] <= GOALS["fast"]
    assert gaps["default"] <= GOALS["default"]
    assert gaps["high"] <= GOALS["high"] * (1 + 1e-6)


def test_a_transposed_convolution_has_the_norm_of_its_convolution():
    inner = ConvolutionOperator(
        random(12, 8, 4, 4), (61, 61), stride=(2, 2), padding=((1, 1), (1, 1)), dilation=(1, 1), outputs=(30, 30)
    )
    found, turned = spectral_norm(inner), spectral_norm(AdjointOperator(inner))
    assert (found.lower, found.upper) == (turned.lower, turned.upper)
    assert found.gap < GOALS["default"]


def test_the_cheapest_route_that_suffices_is_taken():
    """A positive averaging kernel is within a tenth by row and column sums; asking for more takes another method."""
    operator = convolution(torch.ones(1, 1, 3, 3), 60, 60, padding=1)
    rough, close = spectral_norm(operator, effort="fast"), spectral_norm(operator, effort="high")
    assert rough.upper == pytest.approx(9.0)
    assert "circulant" not in rough.method
    assert "circulant" in close.method
    assert close.upper == pytest.approx((1 + 2 * math.cos(math.pi / 61)) ** 2, rel=1e-9)
