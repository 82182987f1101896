"""phi on classifiers where its maximum is known."""

import pytest
import torch

from lipcert.analyses.lagrangian import affine_smoothness, measure_lagrangian
from lipcert.attacks import Ball, run_attack, score_clean
from lipcert.attacks.wrm import Wrm
from lipcert.graph.scores import cross_entropy
from tests import graphs
from tests.attacks import closed_forms


def _affine(classes=2, features=3):
    return graphs.mlp_of([(graphs.random(classes, features), graphs.random(classes, seed=1))]).to(dtype=torch.float64)


def _by_grid(graph, clean, labels, gamma):
    """Two classes: the best point lies on the line through x along w_other - w_true."""
    weight = graph.module.weight0.T
    line = torch.linspace(-6, 6, 60_001, dtype=torch.float64)
    found = []
    for x, y in zip(clean, labels, strict=True):
        way = weight[1 - y] - weight[y]
        way = way / way.norm()
        values = cross_entropy(graph(x + line[:, None] * way), y.expand(len(line))) - gamma * line.square()
        found.append(values.max())
    return torch.stack(found).mean()


@pytest.mark.parametrize("gamma", [1.0, 3.0, 10.0])
def test_the_bracket_of_a_smooth_loss_holds_its_maximum_and_is_narrow(gamma):
    graph = _affine()
    clean = graphs.random(12, 3, seed=2, dtype=torch.float64)
    labels = graph(clean).argmax(dim=1)
    smoothness = affine_smoothness(float(torch.linalg.matrix_norm(graph.module.weight0.T, 2)))
    record = measure_lagrangian(graph, clean, labels, gamma, smoothness=smoothness, batch_size=5)
    if 2 * gamma <= smoothness:
        assert record.certificate == "heuristic"
        return
    exact = float(_by_grid(graph, clean, labels, gamma))
    assert record.certificate == "valid"
    assert record.phi <= exact + 1e-6  # the grid is no finer
    assert exact <= record.phi_upper + 1e-12
    assert record.phi_upper - record.phi < 1e-5


def test_without_a_proof_of_smoothness_it_is_a_statistic():
    graph = graphs.mlp(4, 8, 3).to(dtype=torch.float64)
    clean = graphs.random(6, 4, dtype=torch.float64)
    labels = graph(clean).argmax(dim=1)
    records = [measure_lagrangian(graph, clean, labels, gamma, steps=50) for gamma in (0.3, 1.0, 5.0)]
    assert all(record.certificate == "heuristic" and record.phi_upper is None for record in records)
    clean_loss = float(cross_entropy(graph(clean), labels).mean())
    phis = [record.phi for record in records]
    assert phis == sorted(phis, reverse=True)
    assert all(phi >= clean_loss - 1e-12 for phi in phis)
    moves = [record.transport for record in records]
    assert moves == sorted(moves, reverse=True)


def test_a_small_gamma_is_no_certificate():
    graph = _affine()
    clean = graphs.random(3, 3, dtype=torch.float64)
    record = measure_lagrangian(graph, clean, torch.zeros(3, dtype=torch.long), 0.01, smoothness=5.0, steps=3)
    assert record.certificate == "heuristic"


def test_the_duality_bound_holds_for_attacks_of_known_transport():
    """sup over distributions with mean squared move rho is at least what any shift of that length reaches."""
    graph = _affine()
    clean = graphs.random(30, 3, seed=4, dtype=torch.float64)
    labels = graph(clean).argmax(dim=1)
    smoothness = affine_smoothness(float(torch.linalg.matrix_norm(graph.module.weight0.T, 2)))
    gamma = smoothness
    record = measure_lagrangian(graph, clean, labels, gamma, smoothness=smoothness)
    weight = graph.module.weight0.T
    for length in (0.1, 0.5, 1.0):
        way = weight[1 - labels] - weight[labels]
        moved = clean + length * way / way.norm(dim=1, keepdim=True)
        assert float(cross_entropy(graph(moved), labels).mean()) <= gamma * length**2 + record.phi_upper


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_in_a_ball_it_is_an_attack_like_others(norm):
    graph = graphs.mlp(6, 8, 3)
    clean = graphs.uniform(9, 6)
    target = closed_forms.target_of(graph, clean, graph(clean).argmax(dim=1))
    ball = Ball(norm=norm, eps=0.3, input_range=(0.0, 1.0))
    start = score_clean(target)
    found = run_attack(target, Wrm(gamma=0.1), ball, start, seed=0)
    assert (found.loss > start.loss).all()
    assert ball.contains(found.inputs, clean).all()
