"""Certified balls of random nets hold no point that is classified otherwise, whatever certified them."""

import pytest
import torch

from lipcert.analyses.certificates import prepare
from lipcert.analyses.lipschitz import Constants
from lipcert.attacks import Ball, Pgd, Target, run_attack, score_clean
from lipcert.deadline import Deadline
from lipcert.records import AnalyzeSettings, Skipped
from lipcert.rules import LayerNorms
from lipcert.samples import Samples
from tests import graphs
from tests.bounds.random_nets import random_net

EPS = {"linf": (0.01, 0.05), "l2": (0.03, 0.15), "l1": (0.1,)}
RANGE = (-1.0, 1.0)


def _violations(seed, points):
    """(points tried in certified balls, those classified otherwise)."""
    graph = random_net(seed)
    inputs = (0.5 * graphs.random(6, *graph.input_shape, seed=seed)).clamp(*RANGE)
    labels = graph(inputs).argmax(dim=1)
    data = Samples(inputs=inputs, labels=labels, input_range=RANGE)
    constants, settings = Constants(LayerNorms(graph)), AnalyzeSettings()
    certifier = prepare(graph, data, constants.all, EPS, settings, layers=constants.norms.graph)
    if isinstance(certifier, Skipped):
        return 0, 0
    target = Target(classify=graph, scorer=graph, clean=inputs, labels=labels)
    certifier.start(Deadline())
    certifier.finish(target, Deadline.after(2))
    tried = wrong = 0
    generator = torch.Generator().manual_seed(seed)
    for standing in certifier.standings:
        rows = standing.certified.nonzero()[:, 0]
        ball = Ball(norm=standing.norm, eps=standing.eps, input_range=RANGE)
        for _ in range(points if len(rows) else 0):
            noise = torch.randn(inputs[rows].shape, generator=generator)
            moved = ball.project(inputs[rows] + ball.eps * ball.steepest(noise), inputs[rows])
            wrong += int((graph(moved).argmax(dim=1) != labels[rows]).sum())
            tried += len(rows)
        if len(rows):
            few = Target(classify=graph, scorer=graph, clean=inputs[rows], labels=labels[rows])
            wrong += int(run_attack(few, Pgd(loss="margin", restarts=2), ball, score_clean(few), seed=2).broken.sum())
    return tried, wrong


@pytest.mark.parametrize("seed", range(2))
def test_certified_balls_of_a_few_random_nets_hold_nothing_else(seed):
    assert _violations(seed, 20)[1] == 0


@pytest.mark.slow
def test_certified_balls_of_many_random_nets_hold_nothing_else():
    found = [_violations(seed, 300) for seed in range(3, 63)]
    assert sum(wrong for _, wrong in found) == 0
    assert sum(tried for tried, _ in found) > 100_000
