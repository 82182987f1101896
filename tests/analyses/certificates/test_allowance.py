"""Work is priced before it is done, ends where it is paid for, and what it left undone is told."""

import math

import pytest
import torch

from lipcert.analyses.certificates import certificate_records, prepare, radius_records
from lipcert.analyses.certificates import certifier as module
from lipcert.analyses.certificates.allowance import Allowance
from lipcert.attacks import Target
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.price import refining_price
from lipcert.bounds.region import Region
from lipcert.deadline import Deadline
from lipcert.records import AnalyzeSettings, Soundness
from lipcert.samples import Samples
from tests import graphs
from tests.analyses.constants import constants_of

SAMPLES = 40


def _finished(effort="default", *, soundness=Soundness.PROVED, constants=(), eps=0.04):
    graph = graphs.mlp(6, 24, 4, seed=3)
    inputs = (0.5 * graphs.random(SAMPLES, 6, seed=3)).clamp(-1, 1)
    data = Samples(inputs=inputs, labels=graph(inputs).argmax(dim=1), input_range=(-1.0, 1.0))
    known = [constants_of(graph, norm, soundness=soundness) for norm in constants]
    certifier = prepare(graph, data, known, {"linf": (eps,)}, AnalyzeSettings(effort=effort))
    certifier.start(Deadline())
    certifier.finish(Target(classify=graph, scorer=graph, clean=inputs, labels=data.labels), Deadline())
    certifier.search({}, Deadline())
    return certifier


def test_an_allowance_pays_for_whole_samples_until_it_is_spent():
    allowance = Allowance(10.0)
    assert allowance.affords(3.0, 8) == 3
    allowance.pay(9.0)
    assert allowance.affords(3.0, 8) == 0
    assert Allowance().affords(math.inf, 8) == 8


def test_without_work_nothing_dear_is_tried_and_the_record_says_so(monkeypatch):
    monkeypatch.setitem(module.ALLOWED, "default", 0.0)
    certifier = _finished()
    (record,) = certificate_records(certifier)
    assert record.untried == record.verdicts["unknown"] > 0
    assert "linear bounds" not in record.decided_by
    assert certifier.searched.get("linf", 0) == 0


def test_with_all_the_work_there_is_nothing_is_left_untried():
    (record,) = certificate_records(_finished("high"))
    assert record.untried == 0


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_limit_on_work_cuts_off_the_least_promising_samples_only(monkeypatch, share):
    free = _finished("fast")
    rows = free.standings[0].climbed.nonzero()[:, 0]
    tried, eps = len(rows), torch.full((1,), 0.04, dtype=torch.float64)
    prices = [free.ladder.price(row, "linf", eps) for row in rows.split(1)]
    monkeypatch.setitem(module.ALLOWED, "fast", share * max(prices) * tried)
    limited = _finished("fast")
    assert 0 < int(limited.standings[0].climbed.sum()) < tried
    assert (limited.standings[0].certified <= free.standings[0].certified).all()


def test_a_region_with_more_unstable_neurons_costs_more():
    bounder = Bounder(graphs.mlp(6, 24, 4, seed=3))
    centre, prices = torch.zeros(2, 6, dtype=torch.float64), []
    for eps in (0.0, 0.1, 1.0):
        region = Region(centre, "linf", torch.full((2,), eps, dtype=torch.float64))
        prices.append(refining_price(bounder.linearise(region, bounder.intervals(region))))
    assert prices[0] == 0.0
    assert prices[0] < prices[1] <= prices[2]


@pytest.mark.parametrize("soundness", [Soundness.PROVED, Soundness.PROBABILISTIC])
def test_what_rests_on_a_probabilistic_constant_says_so(soundness):
    certifier = _finished(soundness=soundness, constants=("l2",), eps=1e-4)
    (record,), (radius,) = certificate_records(certifier), radius_records(certifier)
    assert any(method.startswith("margin over") for method in record.decided_by)
    assert record.soundness is soundness
    assert radius.soundness is soundness
