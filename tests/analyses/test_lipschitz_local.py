"""Local constants as the report shows them: enclosures in stated balls, never looser than the global ones."""

import math

import pytest
import torch
from torch import nn

from lipcert.analyses.lipschitz import analyze_local
from lipcert.records import Enclosure, Skipped, Soundness
from tests import graphs
from tests.captured import graph_from, randomised


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
def test_a_linear_network_has_its_norm_everywhere(norm):
    weight = graphs.random(3, 6)
    graph = graphs.mlp_of([(weight, graphs.random(3, seed=1))])
    record = analyze_local(graph, graphs.random(2, 6, seed=2), norm, 0.5)
    order = {"l2": 2, "linf": math.inf, "l1": 1}[norm]
    exact = float(torch.linalg.matrix_norm(weight.double(), order))
    assert isinstance(record.value, Enclosure)
    assert record.value.lower <= exact <= record.value.upper <= exact * (1 + 1e-6)
    assert record.value.lower >= exact * (1 - 1e-6)
    assert (record.scope, record.eps, record.samples) == ("local", 0.5, 2)
    assert record.value.soundness is Soundness.PROVED


def test_a_smaller_global_constant_is_named():
    record = analyze_local(graphs.mlp(4, 12, 3), graphs.random(2, 4), "l2", 50.0, upper=20.0)
    assert isinstance(record.value, Enclosure)
    assert record.value.upper <= 20.0
    assert ("global" in record.method) == (record.value.upper == 20.0)


def test_what_local_constants_do_not_go_through_is_named():
    graph = graph_from(randomised(nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 2))), 4)
    record = analyze_local(graph, graphs.random(2, 4), "linf", 0.1)
    assert isinstance(record.value, Skipped)
    assert record.value.operators == ("native_layer_norm",)


@pytest.mark.parametrize("norm", ["l2", "linf", "l1"])
@pytest.mark.parametrize(("eps", "high"), [(0.1, 1.0), (0.6, 0.1)])
def test_kinks_on_the_sides_of_the_range_are_no_witnesses(norm, eps, high):
    """A network without slope where inputs are above 0; at 0, where these samples lie, autograd says otherwise."""
    graph = graph_from(nn.Sequential(nn.Flatten(), _Flat(), nn.Linear(4, 3)), 4)
    for sample in (0.0, high):
        record = analyze_local(graph, torch.full((2, 4), sample), norm, eps, input_range=(0.0, high))
        assert isinstance(record.value, Enclosure)
        assert record.value.lower == 0


class _Flat(nn.Module):
    """0 from 0 on, its argument below, and slope -1 at 0 as autograd has it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x) - x
