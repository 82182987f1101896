"""Examples to train on: inside their balls, worse than the clean ones, and right where the answer is known."""

import pytest
import torch
from torch import nn

from lipcert.attacks import Ball
from lipcert.graph.scores import cross_entropy
from lipcert.training import ADVERSARIES, FgmExamples, PgmExamples, WrmExamples
from tests.training.nets import NETS, batch, drawn, seeded

RANGE = (0.0, 1.0)
BALLS = [
    kind(norm=norm, eps=0.2, input_range=RANGE, **more)
    for norm in ("l2", "linf", "l1")
    for kind, more in (
        (FgmExamples, {}),
        (PgmExamples, {}),
        (PgmExamples, {"start": "random", "loss": "logits"}),
        (PgmExamples, {"start": "random", "step_share": float("inf")}),
    )
]
EVERY = [*BALLS, WrmExamples(gamma=1.0, input_range=RANGE)]


def test_no_adversary_is_left_out():
    assert {type(each) for each in EVERY} == set(ADVERSARIES.values())


@pytest.mark.parametrize("net_name", NETS)
@pytest.mark.parametrize("adversary", BALLS, ids=str)
def test_examples_lie_in_the_ball(adversary, net_name):
    net, (inputs, labels) = NETS[net_name][0](nn.ReLU), batch(net_name)
    points = adversary(net, inputs, labels, seeded())
    assert Ball(norm=adversary.norm, eps=0.2, input_range=RANGE).contains(points, inputs).all()


@pytest.mark.parametrize("adversary", EVERY, ids=str)
def test_examples_raise_the_loss_and_leave_parameters_alone(adversary):
    net, (inputs, labels) = NETS["mlp"][0](), batch("mlp", count=40)
    points = adversary(net, inputs, labels, seeded())
    assert not points.requires_grad
    assert all(parameter.grad is None for parameter in net.parameters())
    with torch.no_grad():
        before, after = (cross_entropy(net(x), labels).mean() for x in (inputs, points))
        moved = (net(points) - net(inputs)).norm(dim=1).mean()
    assert moved > 1e-3
    if getattr(adversary, "loss", "ce") == "ce":
        assert after > before


@pytest.mark.parametrize("adversary", EVERY, ids=str)
def test_one_generator_one_result(adversary):
    net, (inputs, labels) = NETS["mlp"][0](), batch("mlp")
    assert torch.equal(adversary(net, inputs, labels, seeded(4)), adversary(net, inputs, labels, seeded(4)))


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("kind", [FgmExamples, PgmExamples])
def test_two_classes_and_one_layer_have_a_closed_form(kind, norm):
    """The worst margin is m - eps ||w_y - w_j||_{p*}, and one gradient step finds it."""
    net = drawn(nn.Linear(6, 2))
    inputs, _ = batch("mlp", count=8)
    labels = torch.arange(8) % 2
    points = kind(norm=norm, eps=0.3)(net, inputs, labels)
    apart = (net.weight[0] - net.weight[1]).detach()
    sign = 1 - 2 * labels
    with torch.no_grad():
        margin, worst = ((net(x)[:, 0] - net(x)[:, 1]) * sign for x in (inputs, points))
    steep = apart.norm() if norm == "l2" else apart.abs().sum()
    assert torch.allclose(worst, margin - 0.3 * steep, rtol=1e-9)


def test_the_lagrangian_form_stops_where_the_gradients_balance():
    """At a maximum of loss - gamma |x - x0|^2 the loss gradient is 2 gamma (x - x0); one gamma below, further off."""
    net, (inputs, labels) = NETS["mlp"][0](), batch("mlp")
    far, near = (WrmExamples(gamma=gamma, steps=800)(net, inputs, labels) for gamma in (8.0, 16.0))
    x = far.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(net(x), labels).sum(), x)
    assert torch.allclose(gradient, 16.0 * (far - inputs), atol=1e-3)
    assert ((far - inputs).norm(dim=1) > (near - inputs).norm(dim=1)).all()


def test_what_cannot_work_is_refused():
    with pytest.raises(ValueError, match="random"):
        PgmExamples(loss="logits")
    with pytest.raises(ValueError, match="positive"):
        PgmExamples(steps=0)
    with pytest.raises(ValueError, match="positive"):
        WrmExamples(gamma=0.0)
