"""The bound for networks with random weights: what it promises, what it depends on, and what it refuses."""

import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from lipcert.analyses.generalization.posterior import PLANS, posterior_record
from lipcert.analyses.generalization.posterior_bound import bound_on_error
from lipcert.analyses.generalization.posterior_search import Posterior, prior_grid
from lipcert.analyses.generalization.posterior_weights import Weights, centre, error_rate, weights_of
from lipcert.deadline import Deadline
from lipcert.errors import UsageError
from lipcert.graph import Graph
from lipcert.records import GeneralizationRecord, Skipped
from lipcert.samples import Samples
from tests.captured import graph_from
from tests.graphs import conv, mlp, random


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANS, "default", replace(PLANS["default"], steps=150, least=1, draws=40))


def _samples(count: int = 300, size: int = 4) -> Samples:
    inputs = random(count, size, seed=7)
    return Samples(inputs=inputs, labels=(inputs[:, 0] > 0).long())


def _linear(size: int = 4) -> Graph:
    """Right on every one of the samples above."""
    graph = mlp(size, 2)
    with torch.no_grad():
        for tensor in graph.tensors.values():
            tensor.zero_()
        (weight,) = (tensor for tensor in graph.tensors.values() if tensor.ndim == 2)
        weight[0, 1] = 4.0
    return graph


def _record(graph: Graph, **said: object) -> GeneralizationRecord:
    return posterior_record(graph, _samples(), **said)  # type: ignore[arg-type]


@pytest.mark.usefixtures("brief")
def test_bound_says_something_of_an_easy_task_and_adds_up() -> None:
    found = _record(_linear(), failure=0.05)
    terms = found.terms
    assert found.vacuous is False
    assert found.failure_probability == 0.05
    assert 10**found.log10_value == pytest.approx(terms["upper"])
    assert terms["train_error"] <= terms["train_error_upper"] < terms["upper"] < 0.5
    total = terms["divergence"] + terms["prior_choice"]
    assert terms["upper"] == pytest.approx(bound_on_error(terms["train_error_upper"], total, 300, 0.04), rel=1e-9)
    assert "random weights" in found.quantity


@pytest.mark.usefixtures("brief")
def test_random_labels_leave_the_bound_above_chance() -> None:
    samples = _samples(60)
    guessed = torch.randint(2, (60,), generator=torch.Generator().manual_seed(1))
    found = posterior_record(mlp(4, 20, 2), replace(samples, labels=guessed))
    assert found.terms["upper"] > 0.5


@pytest.mark.usefixtures("brief")
def test_seed_decides_and_batch_size_does_not() -> None:
    first, again, other = (_record(mlp(4, 8, 2), seed=1, batch_size=size) for size in (256, 256, 7))
    assert first == again
    for name, value in first.terms.items():
        assert other.terms[name] == pytest.approx(value, rel=1e-9), name
    assert _record(mlp(4, 8, 2), seed=2) != first


@pytest.mark.usefixtures("brief")
def test_prior_at_the_networks_own_weights_is_cheaper() -> None:
    net = mlp(4, 8, 2, scale=3)
    near, far = _record(net, initial=net), _record(net)
    assert near.terms["divergence"] < far.terms["divergence"]


@pytest.mark.usefixtures("brief")
def test_progress_starts_and_ends() -> None:
    seen: list[tuple[int, int]] = []
    posterior_record(_linear(), _samples(), progress=lambda _, done, total: seen.append((done, total)))
    assert seen[0] == (0, 190)
    assert seen[-1] == (190, 190)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_averaging_draws_from_the_posterior() -> None:
    weights = weights_of(_linear())
    assert isinstance(weights, Weights)
    means = {name: tensor.flatten() for name, tensor in weights.start.items()}
    chosen = Posterior(mean=means, std={name: torch.full_like(mean, 2.0) for name, mean in means.items()})
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack(
        [torch.cat([p.flatten() for p in chosen.draw(weights, generator).values()]) for _ in range(4000)]
    )
    assert torch.allclose(drawn.mean(0), torch.cat(list(means.values())), atol=0.15)
    assert torch.allclose(drawn.std(0), torch.tensor(2.0), atol=0.1)


def test_divergence_is_the_best_of_the_grid() -> None:
    weights = weights_of(_linear())
    assert isinstance(weights, Weights)
    middle = centre(weights, None)
    flat = {name: tensor.flatten() for name, tensor in middle.items()}
    std = {name: torch.full_like(mean, float(prior_grid()[200].exp())) for name, mean in flat.items()}
    assert 0 <= Posterior(mean=flat, std=std).divergence(middle) < 1e-5


class _Normalised(nn.Module):
    """Batch norm after the layer, or before it, where nothing can take it in."""

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self.layer, self.norm, self.first = nn.Linear(4, 4), nn.BatchNorm1d(4), first
        with torch.no_grad():
            self.norm.running_mean.copy_(torch.arange(4.0))
            self.norm.running_var.copy_(torch.arange(1.0, 5.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(self.norm(x)) if self.first else self.norm(self.layer(x))


def test_statistics_of_the_training_samples_stay_out_of_the_prior() -> None:
    graph = graph_from(_Normalised(first=False), 4)
    weights = weights_of(graph)
    assert isinstance(weights, Weights)
    assert len(weights) == 20
    inputs = random(5, 4)
    assert torch.allclose(weights.logits(weights.start, inputs), graph(inputs), atol=1e-5)
    zero = {name: torch.zeros_like(tensor) for name, tensor in weights.start.items()}
    assert not weights.logits(zero, inputs).any()
    refused = weights_of(graph_from(_Normalised(first=True), 4))
    assert isinstance(refused, Skipped)
    assert "statistics" in refused.reason


@pytest.mark.parametrize("other", [mlp(4, 9, 2), mlp(4, 2), conv()], ids=["width", "depth", "kind"])
def test_initial_network_of_another_architecture_is_refused(other: Graph) -> None:
    with pytest.raises(UsageError, match=r"must have the model's architecture; at .* the model has shape"):
        _record(mlp(4, 8, 2), initial=other)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    net, samples = _linear(), _samples()
    assert "--train-data" in posterior_record(net, None).missing
    assert "--train-data" in posterior_record(net, replace(samples, labels=None)).missing
    assert "--effort default" in posterior_record(net, samples, effort="fast").missing
    few = Samples(inputs=samples.inputs[:7], labels=None if samples.labels is None else samples.labels[:7])
    assert "needs 8" in posterior_record(net, few).missing
    monkeypatch.setitem(PLANS, "default", replace(PLANS["default"], weights=5))
    found = posterior_record(net, samples)
    assert "10 weights are more than the 5" in found.missing
    assert found.vacuous is None
    monkeypatch.setitem(PLANS, "default", replace(PLANS["default"], weights=50, seconds=0))
    assert "longer than effort default" in posterior_record(net, samples).missing


def test_weights_that_are_no_numbers_are_errors() -> None:
    weights = weights_of(_linear())
    assert isinstance(weights, Weights)
    samples = _samples()
    broken = {name: torch.full_like(tensor, torch.nan) for name, tensor in weights.start.items()}
    assert error_rate(weights, broken, samples, 64) == 1
    assert error_rate(weights, weights.start, samples, 64) == 0


@pytest.mark.usefixtures("brief")
def test_time_cuts_the_search_short_and_the_bound_still_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANS, "default", replace(PLANS["default"], steps=100_000, least=1, draws=10**7, seconds=1e9))
    start = time.perf_counter()
    found = _record(_linear(), deadline=Deadline.after(0.6))
    assert time.perf_counter() - start < 30  # unlimited it would take hours
    terms = found.terms
    assert 0 < terms["steps"] < 100_000
    assert 40 <= terms["draws"] < 10**7
    total = terms["divergence"] + terms["prior_choice"]
    assert terms["upper"] == pytest.approx(bound_on_error(terms["train_error_upper"], total, 300, 0.04), rel=1e-9)
    assert "--time-budget" in _record(_linear(), deadline=Deadline.after(0)).missing
