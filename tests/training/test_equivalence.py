"""Roth, Kilcher & Hofmann's theorem: adversarial training on the logits is data-dependent regularisation.

Inside one linear region, projected gradient ascent in l_p on ||f(x*) - f(x)||_q with an infinite step walks through
the iterates of the power method for ||J||_{p -> q}.
"""

import math

import pytest
import torch
from torch import nn

from lipcert.analyses.jacobian.base import vector_norm
from lipcert.analyses.jacobian.duality import dual
from lipcert.attacks.base import logits_and_gradient
from lipcert.training import DataDependent, PgmExamples, singular_directions
from lipcert.training.adversary import objective
from tests.training.nets import NETS, batch, seeded

EPS = 1e-5
PAIRS = [(p, q) for p in ("l2", "linf", "l1") for q in (1.0, 2.0, 3.0, math.inf)]
EXPONENT = {"l2": 2.0, "linf": math.inf, "l1": 1.0}


@pytest.mark.parametrize("net_name", NETS)
@pytest.mark.parametrize(("norm", "q"), PAIRS)
def test_ascent_and_power_method_walk_together(norm, q, net_name):
    net, (inputs, labels) = NETS[net_name][0](nn.ReLU, seed=2), batch(net_name)
    p = EXPONENT[norm]
    start = dual(torch.randn(len(inputs), inputs[0].numel(), generator=seeded(3), dtype=torch.float64), p)
    with torch.no_grad():
        climbed = objective("logits", labels, net(inputs), q)
    adversary = PgmExamples(norm=norm, eps=EPS, steps=1, step_share=math.inf, start="random", loss="logits", exponent=q)
    walked = inputs + EPS * start.reshape(inputs.shape)
    for steps in range(1, 7):
        _, gradient = logits_and_gradient(net, climbed, walked)
        walked = inputs + EPS * dual(gradient.flatten(1), p).reshape(inputs.shape)
        powered = singular_directions(net, inputs, start, p=p, q=q, steps=steps)
        assert torch.allclose((walked - inputs).flatten(1) / EPS, powered, atol=1e-4)
    assert adversary(net, inputs, labels, seeded()).shape == inputs.shape


@pytest.mark.parametrize("net_name", NETS)
def test_the_two_objectives_are_one_number(net_name):
    """The value adversarial training sees is that of the penalty, with the norm's square and eps squared in both."""
    net, (inputs, labels) = NETS[net_name][0](nn.ReLU, seed=2), batch(net_name)
    adversary = PgmExamples(eps=EPS, steps=300, step_share=math.inf, start="random", loss="logits")
    points = adversary(net, inputs, labels, seeded())
    with torch.no_grad():
        attacked = vector_norm(net(points) - net(inputs), 2.0).square().mean() / 2
    penalty = DataDependent(eps=EPS, steps=300)(net, inputs, labels, seeded())
    assert float(penalty.detach()) == pytest.approx(float(attacked), rel=1e-5)
