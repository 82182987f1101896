"""Margins from local constants: never above what points of the ball have, and of use where linear bounds are not."""

import pytest
import torch
from torch import nn

from lipcert.analyses.certificates.local import local_margins
from lipcert.attacks import Ball, Pgd, Target, run_attack, score_clean
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.graph.scores import margins
from tests import graphs
from tests.captured import graph_from, randomised


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("deployed", ["real", "float32"])
def test_no_point_of_the_ball_has_a_smaller_margin(seed, deployed):
    graph = graphs.mlp(5, 9, 3, seed=seed)
    inputs = graphs.random(6, 5, seed=seed)
    labels = graph(inputs).argmax(dim=1)
    target = Target(classify=graph, scorer=graph, clean=inputs, labels=labels)
    for eps in (0.05, 0.3, 1.0):
        bounder = Bounder(graph, deploy_dtype=deployed)
        region = Region(inputs.double(), "l2", torch.full((6,), eps, dtype=torch.float64))
        least, radius = local_margins(bounder, region, labels, bounder.refine(region))
        worst = run_attack(
            target, Pgd(loss="margin", restarts=2), Ball(norm="l2", eps=eps), score_clean(target), seed=0
        )
        there = margins(graph.to(dtype=torch.float64)(worst.inputs.double()), labels)
        assert bool((least <= there + 1e-5).all())
        assert bool((radius <= eps).all())
        assert bool((radius[least > 0] == eps).all())
        broken = worst.broken
        assert bool((radius[broken] < Ball(norm="l2", eps=eps).distance(worst.inputs, inputs)[broken]).all())


def test_other_norms_and_ops_without_edges_prove_nothing():
    inputs, labels = graphs.random(2, 4).double(), torch.zeros(2, dtype=torch.long)
    normalised = graph_from(randomised(nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 2))), 4)
    for graph, norm in ((normalised, "l2"), (graphs.mlp(4, 5, 2), "linf")):
        bounder = Bounder(graph)
        region = Region(inputs, norm, torch.full((2,), 0.01, dtype=torch.float64))
        least, radius = local_margins(bounder, region, labels, bounder.intervals(region))
        assert bool((least == -torch.inf).all())
        assert bool((radius == 0).all())
