"""The formulas against numbers worked out by hand and by an independent program."""

import math

import pytest
import torch

from lipcert.analyses.generalization import bartlett, first_order, golowich, neyshabur
from lipcert.analyses.generalization.base import log_price, log_sum, margin_steps, missed, raised
from lipcert.analyses.generalization.robust import moved
from tests.analyses.generalization.nets import WEIGHTS, net, unbiased

TOY = unbiased(*WEIGHTS)


def near(value):
    return pytest.approx(value, rel=1e-9)


def test_norms_of_the_toy():
    found = net(TOY)
    assert [one.spectral for one in found.layers] == pytest.approx([2.572554, math.sqrt(3)], rel=1e-6)
    assert [one.rows for one in found.layers] == pytest.approx([5.650282, math.sqrt(8)], rel=1e-6)
    assert math.exp(found.log_spectral_complexity) == pytest.approx(24.043033, rel=1e-7)
    assert math.exp(found.log_phi) == pytest.approx(59.472136, rel=1e-7)
    assert (found.width, found.depth, found.biased) == (3, 2, False)


@pytest.mark.parametrize(("extra", "kl", "gap"), [(0.0, 29562664.608, 688.0961676), (0.5, 54161958.299, 931.3747998)])
def test_pac_bayes_to_the_printed_digits(extra, kl, gap):
    found = net(TOY)
    log_kl = neyshabur.log_divergence(found.log_phi, 2, 3, math.sqrt(2) + extra, 0.0)
    assert math.exp(log_kl) == near(kl)
    assert math.exp(neyshabur.log_gap(log_kl, 2, 1000, math.log(20))) == near(gap)


def test_bartlett_to_the_printed_digits():
    found = net(TOY)
    args = (found.log_spectral_complexity, math.sqrt(2000), 3, 1000, 0.0, math.log(40))
    assert math.exp(bartlett.log_gap(*args, constant=bartlett.WITHOUT_CEILING)) == near(909.3105133)
    assert bartlett.WITHOUT_CEILING * math.sqrt(2) <= bartlett.CONSTANT
    assert bartlett.log_gap(*args) > bartlett.log_gap(*args, constant=bartlett.WITHOUT_CEILING)


def test_golowich_by_hand():
    value = math.exp(golowich.log_complexity(math.log(6.0), 3, 10.0, 50))
    assert value == near((math.sqrt(6 * math.log(2)) + 1) * 6 * 10 / 50)


def test_first_order_factor_by_hand():
    spectral, eps, kappa = (2.0, 0.5, 3.0), 0.1, 0.02
    c = eps / kappa * 3.0 * (2.0 + 1.0 + 3.0)
    assert math.exp(first_order.log_factor([math.log(s) for s in spectral], eps, kappa)) == near((1 + c) ** 2)


def test_reach_of_a_ball_in_l2():
    assert moved("linf", 0.5, 16) == near(2.0)
    assert moved("l2", 0.5, 16) == moved("l1", 0.5, 16) == 0.5


def test_weights_of_a_grid_sum_to_less_than_one():
    assert sum(math.exp(-log_price(step)) for step in range(-10_000, 10_001)) < 1


@pytest.mark.parametrize("log", [-3.7, 0.0, 1e-12, 0.4, 55.0])
@pytest.mark.parametrize("ratio", [1.1, 1.5, 2.0])
def test_grid_points_lie_above_and_near(log, ratio):
    point, step = raised(log, ratio)
    assert log <= point <= log + math.log(ratio) + 1e-9
    assert point == pytest.approx(step * math.log(ratio))


def test_sums_of_logarithms():
    assert log_sum(math.log(2), math.log(3), -math.inf) == near(math.log(5))
    assert torch.tensor(log_sum(1e4, 1e4)).item() == pytest.approx(1e4 + math.log(2))


@pytest.mark.parametrize("margin", [2.0, 3.0, 0.25, 0.3])
def test_some_margin_of_the_grid_is_below_all_samples(margin):
    margins = torch.tensor([margin, 3 * margin, 7 * margin])
    assert missed(margins, margin_steps(margins)[0]) == 0
