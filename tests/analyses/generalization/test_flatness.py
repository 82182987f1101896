"""The noise that costs a tenth of the accuracy: bisection on curves that are known, and networks whose noise is."""

import math

import pytest
import torch
from scipy import stats

from lipcert.analyses.generalization.flatness import DROP, LARGEST, TOLERANCE, Flatness, flatness, noise_for_drop
from lipcert.deadline import Deadline
from lipcert.records import Skipped
from lipcert.samples import Samples
from tests import graphs


@pytest.mark.parametrize("slope", [0.06, 0.2, 1.0, 30.0])
def test_bisection_stops_where_the_drop_is_a_tenth(slope):
    sigma = noise_for_drop(lambda s: 0.9 - slope * s, 0.9)
    assert abs(slope * sigma - DROP) < TOLERANCE + slope * LARGEST / 2**15


def test_what_no_noise_harms_ends_at_the_largest():
    assert noise_for_drop(lambda _: 0.9, 0.9) == pytest.approx(LARGEST, rel=1e-4)
    assert noise_for_drop(lambda _: 0.9, 0.9, Deadline.after(0)) is None


def _threshold(samples=4000):
    """One input x in [-1, 1], logits (w x + b, 0) with w = 1, b = 0, label whether x < 0."""
    graph = graphs.mlp_of([(torch.tensor([[1.0], [0.0]]), torch.zeros(2))])
    inputs = 2 * graphs.uniform(samples, 1) - 1
    return graph, Samples(inputs=inputs, labels=(inputs[:, 0] < 0).long())


def test_sigma_of_a_threshold_is_near_the_one_that_integration_gives():
    """The difference of the logits is x + s (u x + v), with u and v of variance 2: wrong with known probability."""
    graph, data = _threshold()
    found = flatness(graph, data)
    assert isinstance(found, Flatness)
    x = torch.linspace(0, 1, 2001, dtype=torch.float64)
    spread = found.sigma * (2 * (x**2 + 1)).sqrt()
    wrong = float(torch.from_numpy(stats.norm.cdf(-(x / spread).numpy())).mean())

    assert wrong == pytest.approx(DROP, abs=0.05)  # ten noises
    assert found.samples == 4000
    assert flatness(graph, data) == found


def test_noise_in_proportion_leaves_weights_of_zero_alone():
    graph, data = _threshold(500)
    found = flatness(graph, data)
    assert found.magnitude_sigma > found.sigma


def test_what_cannot_be_had_says_why(monkeypatch):
    graph, data = _threshold(100)
    assert "effort fast" in flatness(graph, data, effort="fast").reason
    late = flatness(graph, data, deadline=Deadline.after(0))
    assert isinstance(late, Skipped)
    assert "time" in late.reason


def test_progress_starts_and_ends():
    seen = []
    graph, data = _threshold(100)
    flatness(graph, data, progress=lambda name, done, total: seen.append((name, done, total)))
    assert seen[0][:2] == ("flatness", 0)
    assert seen[-1][1] == seen[-1][2]
    assert all(math.isfinite(done) for _, done, _ in seen)
