"""Losses that bound the robust loss of plain chains, and what they do not take for one."""

import pytest
import torch
from torch import nn

from lipcert.graph.scores import cross_entropy
from lipcert.training import Absolute, FgmExamples, IntervalLoss, LipschitzMargin, PgmExamples
from tests.training.nets import NETS, batch, seeded


@pytest.mark.parametrize("net_name", NETS)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, Absolute])
@pytest.mark.parametrize(("norm", "eps"), [("linf", 0.05), ("l2", 0.2)])
def test_no_attack_gets_above_the_bound(norm, eps, activation, net_name):
    if norm == "linf" and activation is Absolute:
        pytest.skip("absolute values fall and rise")
    net, (inputs, labels) = NETS[net_name][0](activation, seed=4), batch(net_name, count=20)
    bound = IntervalLoss(eps=eps, share=1.0) if norm == "linf" else LipschitzMargin(eps=eps, steps=400)
    allowed = float(bound(net, inputs, labels, seeded()).detach())
    for attack in (FgmExamples(norm=norm, eps=eps), PgmExamples(norm=norm, eps=eps, steps=30)):
        reached = cross_entropy(net(attack(net, inputs, labels)), labels).mean()
        assert float(reached.detach()) <= allowed


def test_one_layer_is_exact_in_an_interval():
    net, (inputs, labels) = nn.Sequential(nn.Linear(6, 2)).double(), batch("mlp", count=8)
    labels %= 2
    points = FgmExamples(norm="linf", eps=0.3)(net, inputs, labels)
    worst = cross_entropy(net(points), labels).mean()
    assert float(IntervalLoss(eps=0.3, share=1.0)(net, inputs, labels)) == pytest.approx(float(worst.detach()))


@pytest.mark.parametrize(
    ("net", "word"),
    [
        (nn.Linear(6, 2), "Sequential"),
        (nn.Sequential(nn.Linear(6, 2), nn.ReLU()), "linear layer at the end"),
        (nn.Sequential(nn.LeakyReLU(2.0), nn.Linear(6, 2)), "LeakyReLU"),
        (nn.Sequential(nn.ELU(3.0), nn.Linear(6, 2)), "ELU"),
        (nn.Sequential(nn.Dropout(), nn.Linear(6, 2)), "Dropout"),
    ],
)
@pytest.mark.parametrize("loss", [IntervalLoss(), LipschitzMargin()], ids=["interval", "lipschitz"])
def test_other_networks_are_named(loss, net, word):
    with pytest.raises(TypeError, match=word):
        loss(net, torch.rand(2, 6), torch.tensor([0, 1]), seeded())
    padded = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), nn.Flatten(), nn.Linear(16, 2))
    with pytest.raises(TypeError, match="Conv2d"):
        loss(padded, torch.rand(2, 1, 4, 4), torch.tensor([0, 1]), seeded())
