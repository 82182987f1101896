"""Singular values as estimates: never above the true ones, near them where residuals say so, complete when small."""

import pytest
import torch

from lipcert.norms import spectrum as module
from lipcert.norms.spectrum import spectrum
from lipcert.operators import ConvolutionOperator, DenseOperator, materialise
from lipcert.records import Soundness
from tests.norms.configurations import configuration
from tests.operator_examples import EXAMPLES, convolution, random


def truths(operator):
    return torch.linalg.svdvals(materialise(operator))


@pytest.fixture(params=["dense", "iterated"])
def route(request, monkeypatch):
    if request.param == "iterated":
        monkeypatch.setattr(module, "_SIDE", 0)
    return request.param


@pytest.mark.parametrize("name", EXAMPLES)
def test_small_operators_are_told_to_the_last_digits(name, route):
    operator = EXAMPLES[name]
    found, expected = spectrum(operator, 3), truths(operator)[:3]
    assert found.soundness is Soundness.ESTIMATE
    scale = max(float(expected[0]), 1e-300)
    assert len(found.values) <= 3
    for value, residual, truth in zip(found.values, found.residuals, expected.tolist(), strict=False):
        assert abs(value - truth) <= 1e-11 * scale
        assert residual <= 1e-11 * scale
    assert all(truth <= 1e-11 * scale for truth in expected[len(found.values) :].tolist()) or len(found.values) == 3


@pytest.mark.parametrize("seed", range(20))
def test_estimates_come_from_below_and_tell_how_near_they_are(seed, monkeypatch):
    monkeypatch.setattr(module, "_SIDE", 0)
    operator = configuration(seed)
    found, expected = spectrum(operator, 5, effort="fast", seed=seed), truths(operator)
    scale = float(expected[0])
    for value, residual, truth in zip(found.values, found.residuals, expected.tolist(), strict=False):
        assert value <= truth + 1e-12 * scale
        assert float((expected - value).abs().min()) <= residual + 1e-12 * scale
    assert list(found.values) == sorted(found.values, reverse=True)


def test_all_singular_values_are_there_when_asked_for():
    operator = convolution(random(3, 2, 3, 3), 5, 4, padding=1)
    found = spectrum(operator, 10**6)
    assert found.complete
    torch.testing.assert_close(torch.tensor(found.values, dtype=torch.float64), truths(operator))
    assert not spectrum(operator, 10).complete


def test_a_large_layer_converges_with_effort():
    weight = random(6, 6, 3, 3) * 0.2 + 0.1
    operator = convolution(weight, 32, 32, padding=1)
    residuals = [spectrum(operator, 3, effort=effort).residuals[0] for effort in ("fast", "default", "high")]
    assert residuals == sorted(residuals, reverse=True)
    assert residuals[-1] < 1e-3 * spectrum(operator, 1).values[0]


def test_equal_singular_values_are_all_found(monkeypatch):
    monkeypatch.setattr(module, "_SIDE", 0)
    identity = ConvolutionOperator(torch.eye(4)[:, :, None], [10], stride=[1], padding=[(0, 0)], dilation=[1])
    assert spectrum(identity, 5).values == pytest.approx([1.0] * 5)
    assert spectrum(DenseOperator(torch.diag(torch.tensor([2.0, 2.0, 1.0, 0.5]))), 3).values == pytest.approx([2, 2, 1])
