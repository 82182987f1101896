"""Lengths and derivatives inside networks, against whole Jacobians."""

import pytest
import torch

from lipcert.analyses.generalization import noise_resilience
from lipcert.analyses.generalization.resilience import places
from lipcert.records import Skipped, Soundness
from lipcert.samples import Samples
from tests import graphs
from tests.analyses.generalization.nets import WEIGHTS

DOUBLE = torch.float64


def test_places_of_the_toy():
    graph, x = graphs.toy().to(dtype=DOUBLE), torch.tensor([[1.0, 1.0]], dtype=DOUBLE)
    first, hidden, logits = places(graph, x)
    assert float(first.activation) == pytest.approx(2**0.5)
    assert float(first.jacobian) == pytest.approx(2.618034, rel=1e-6)
    assert float(hidden.activation) == pytest.approx(11**0.5)  # (3, 1, 1)
    assert float(hidden.jacobian) == pytest.approx(float(torch.linalg.matrix_norm(WEIGHTS[1].to(DOUBLE), 2)))
    assert float(logits.jacobian) == pytest.approx(1)
    assert float(logits.sensitivity) == pytest.approx(1)
    assert float(first.sensitivity) == pytest.approx(2.618034 * 2**0.5 / 13**0.5, rel=1e-6)


def test_derivatives_at_the_input_are_those_of_autograd():
    graph = graphs.conv().to(dtype=DOUBLE)
    inputs = graphs.random(3, *graph.input_shape, dtype=DOUBLE)
    (first, *_) = places(graph, inputs)
    for row, value in enumerate(first.jacobian):
        whole = torch.autograd.functional.jacobian(graph, inputs[row : row + 1]).reshape(graph.classes, -1)
        assert float(value) == pytest.approx(float(torch.linalg.matrix_norm(whole, 2)))


def test_one_record_a_place_and_a_limit_on_classes():
    graph = graphs.mlp(4, 6, 3).to(dtype=DOUBLE)
    samples = Samples(inputs=graphs.random(100, 4), labels=torch.zeros(100, dtype=torch.long))
    found = noise_resilience(graph, samples, split="test")
    assert [one.place for one in found] == ["input", "weight0", "weight1"] or len(found) == 3
    assert all(one.soundness is Soundness.ESTIMATE and one.activation.samples == 64 for one in found)
    wide = graphs.mlp(4, 101).to(dtype=DOUBLE)
    refused = noise_resilience(wide, samples, split="test")
    assert isinstance(refused, Skipped)
    assert "101 classes" in refused.reason
