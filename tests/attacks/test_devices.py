"""The GPU against the CPU, as the reference."""

import pytest
import torch

from lipcert.analyses.jacobian import measure_jacobians
from lipcert.attacks import Ball, Noise, Pgd, Target, run_attack, score_clean
from lipcert.rules.forward_error import bounded_logits
from tests import graphs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]
BALLS = [Ball(norm="l2", eps=0.7, input_range=(0.0, 1.0)), Ball(norm="linf", eps=0.15)]


def _outcome(device, ball):
    graph = graphs.conv()
    clean = graphs.uniform(40, 2, 6, 6)
    labels = graph(clean).argmax(dim=1)
    moved = graph.to(device=device)
    target = Target(classify=moved, scorer=moved, clean=clean.to(device), labels=labels.to(device))
    attack = Pgd(loss="targeted", restarts=3)
    return run_attack(target, attack, ball, score_clean(target), seed=0, batch_size=16), clean


@pytest.mark.parametrize("ball", BALLS, ids=lambda ball: ball.norm)
def test_attacks_find_the_same_and_stay_inside(ball):
    (here, clean), (there, _) = _outcome("cpu", ball), _outcome("cuda", ball)
    assert ball.contains(there.inputs.cpu(), clean).all()
    assert abs(here.accuracy - there.accuracy) <= 1 / 40
    assert there.mean_loss == pytest.approx(here.mean_loss, rel=0.05)


def test_noise_is_the_same():
    noise = Noise(seed=0, stage="a", indices=(0, 1))
    like = torch.zeros(2, 5)
    assert torch.equal(noise.normal(like.cuda(), 0).cpu(), noise.normal(like, 0))


def test_logits_lie_within_each_others_bounds():
    graph, inputs = graphs.conv(), graphs.uniform(9, 2, 6, 6)
    here, there = bounded_logits(graph, inputs), bounded_logits(graph.to(device="cuda"), inputs)
    assert ((here.value - there.value.cpu()).abs() <= here.error + there.error.cpu()).all()


def test_jacobians_agree():
    graph, inputs = graphs.conv(), graphs.uniform(9, 2, 6, 6)
    here, there = (measure_jacobians(g, inputs) for g in (graph, graph.to(device="cuda")))
    for name, values in here.columns.norms.items():
        assert torch.allclose(there.columns.norms[name].cpu(), values, rtol=1e-9)
