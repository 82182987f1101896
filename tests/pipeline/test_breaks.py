"""An error that branch and bound alone finds counts in robust accuracy and among the nearest errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import lipcert
from lipcert.analyses import robustness
from lipcert.attacks import Ball
from lipcert.attacks.cascade import Plan
from lipcert.records import AnalyzeSettings
from tests.captured import randomised

EPS, COUNT = (0.15, 0.3), 10
SETTINGS = AnalyzeSettings(analyses=("robustness", "certificates"), eps={"linf": EPS}, effort="high")

ATTACKS = AnalyzeSettings(analyses=("robustness",), eps={"linf": EPS}, effort="fast")


def _net() -> nn.Module:
    return randomised(nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3)), seed=5)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The model's record with attacks that find nothing, that with attacks alone, and the errors of the former."""
    images = torch.rand(COUNT, 4, generator=torch.Generator().manual_seed(1))
    labels = _net()(images).argmax(dim=1)
    place = tmp_path_factory.mktemp("errors") / "errors.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(robustness, "plan", lambda *_, **__: Plan(near=(), stages=()))
        (alone,) = lipcert.analyze(_net(), images, labels, settings=SETTINGS, save_adversarials=place).models
    (attacks,) = lipcert.analyze(_net(), images, labels, settings=ATTACKS).models
    return alone, attacks, images, labels, place


def test_what_branch_and_bound_breaks_shows_in_robust_accuracy(found):
    alone, *_ = found
    assert any(record.verdicts["falsified"] for record in alone.certificates)
    for attacked, bracket, proved in zip(alone.robustness, alone.brackets[1:], alone.certificates, strict=True):
        assert attacked.robust_accuracy == bracket.robust_accuracy
        broken = proved.verdicts.get("falsified", 0)
        assert attacked.robust_accuracy == pytest.approx(1 - broken / COUNT)
        assert attacked.robust_loss >= attacked.clean_loss
        if broken:
            assert attacked.robust_margin.min <= 0
            assert attacked.attacks[-1].attack == "branch-and-bound"
            assert attacked.attacks[-1].robust_accuracy == attacked.robust_accuracy
    assert alone.robustness[1].robust_accuracy <= alone.robustness[0].robust_accuracy < 1


def test_it_is_complete_on_so_small_a_net_and_so_misses_nothing_that_attacks_find(found):
    alone, attacks, *_ = found
    assert all(bracket.undecided == 0 for bracket in alone.brackets)
    assert any(record.robust_accuracy < 1 for record in attacks.robustness)
    for own, other in zip(alone.robustness, attacks.robustness, strict=True):
        assert own.robust_accuracy <= other.robust_accuracy


def test_the_nearest_errors_hold_them_too(found):
    alone, *_ = found
    (record,) = alone.adversarial_radii
    assert record.found == round(COUNT * (1 - alone.robustness[-1].robust_accuracy))
    assert record.adversarial_radius.max <= EPS[-1] * (1 + 1e-6)
    assert record.attacks == ("branch-and-bound",)
    proved = next(radius for radius in alone.radii if radius.norm == "linf")
    assert proved.certified_radius.min <= record.adversarial_radius.min


def test_each_error_lies_in_its_ball_and_errs(found):
    _, _, images, labels, place = found
    with np.load(place) as errors:
        for eps in EPS:
            points = torch.from_numpy(errors[f"inputs[norm=linf,eps={eps}]"])
            wrong = _net()(points).argmax(dim=1) != labels
            assert wrong.any()
            assert Ball(norm="linf", eps=eps).contains(points, images).all()
