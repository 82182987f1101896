"""Laws of every bound, over the registry."""

import math
from dataclasses import replace

import pytest
import torch

from lipcert.analyses.generalization import BOUNDS, normalised_margins, records, unavailable
from lipcert.analyses.generalization.norm_bound import best_margin
from lipcert.records import Skipped, Soundness
from tests import graphs
from tests.analyses.generalization.nets import WEIGHTS, evidence, net, unbiased, wired
from tests.captured import graph_from

aten = torch.ops.aten

EVERY = pytest.mark.parametrize("name", BOUNDS)
MARGINS = graphs.random(400, dtype=torch.float64) + 1
NET = net(graphs.mlp(4, 6, 3))


def values(name, given):
    found = records(BOUNDS[name](), given)
    assert found
    assert all(one.bound == name and not one.missing for one in found)
    return [one.log10_value for one in found]


@EVERY
def test_a_value_has_its_word_source_and_terms(name):
    for one in records(BOUNDS[name](), evidence(NET, MARGINS)):
        assert one.vacuous is (one.log10_value >= 0)
        assert one.source
        assert one.assumptions
        assert {"samples", "margin", "missed", "log10_gap"} <= one.terms.keys()
        assert one.log10_value >= one.terms["log10_gap"]
        assert one.guarantee is (one.soundness is Soundness.PROBABILISTIC)
        assert one.failure_probability == pytest.approx(0.05 if one.guarantee else 0.0)


@EVERY
def test_without_training_samples_nothing_is_pretended(name):
    for one in records(BOUNDS[name](), evidence(NET, MARGINS, training=None)):
        assert "--train-data" in one.missing
        assert one.log10_value is one.vacuous is None
        assert one.terms == {}


@EVERY
def test_a_network_that_is_not_covered_has_no_value(name):
    why = Skipped(reason="add at add_14", operators=("add",))
    given = evidence(why, MARGINS, circuit=why)
    assert all("add at add_14" in one.missing for one in records(BOUNDS[name](), given))


def test_without_a_range_pac_bayes_has_no_value():
    for name in ("neyshabur", "robust-pac-bayes", "farnia-fgm", "layerwise-pac-bayes"):
        found = records(BOUNDS[name](), evidence(NET, MARGINS, radius=None, circuit=None))
        assert all("--input-range" in one.missing for one in found)
    assert values("bartlett", evidence(NET, MARGINS, radius=None))


@pytest.mark.parametrize("name", ["neyshabur", "bartlett", "golowich", "robust-pac-bayes"])
def test_slopes_that_were_trained_cost_their_bits(name):
    """The theorems are about one activation each; which one of them all a network has may depend on the samples."""
    plain = net(graphs.mlp(4, 6, 3, activation=lambda x: aten.leaky_relu.default(x, 0.25)))
    odd = net(graphs.mlp(4, 6, 3, activation=lambda x: aten.leaky_relu.default(x, 0.2512345678912)))
    few = torch.full((40,), 3.0)
    cheap, dear = (values(name, evidence(net_, few)) for net_ in (plain, odd))
    assert all(one < other for one, other in zip(cheap, dear, strict=True))


def test_slopes_of_their_own_for_entries_are_not_golowichs():
    for slopes, word in ((torch.tensor([0.1, 0.3]), "slopes"), (torch.tensor([0.3, 0.3]), "")):
        module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.PReLU(2), torch.nn.Linear(2, 2))
        with torch.no_grad():
            module[1].weight.copy_(slopes)
        found = records(BOUNDS["golowich"](), evidence(net(graph_from(module, 3)), MARGINS))
        assert all(word in one.missing if word else not one.missing for one in found)


@EVERY
def test_larger_norms_raise_the_bound(name):
    larger = replace(
        NET,
        layers=tuple(
            replace(one, spectral=3 * one.spectral, frobenius=3 * one.frobenius, rows=3 * one.rows)
            for one in NET.layers
        ),
    )
    wider = wired(graphs.mlp(4, 6, 3, scale=3.0))
    many = evidence(larger, MARGINS, circuit=wider)
    pairs = zip(values(name, evidence(NET, MARGINS)), values(name, many), strict=True)
    assert all(low < high for low, high in pairs)


@EVERY
def test_more_samples_lower_the_bound_and_less_failure_raises_it(name):
    base = evidence(NET, MARGINS)
    wide = base.training
    many = replace(
        wide,
        margins=MARGINS.repeat(100),
        length=wide.length * 10,
        robust={ball: one.repeat(100) for ball, one in wide.robust.items()},
        gradient={ball: one.repeat(100) for ball, one in wide.gradient.items()},
    )
    pairs = zip(values(name, base), values(name, replace(base, training=many)), strict=True)
    assert all(high < low for low, high in pairs)
    pairs = zip(values(name, base), values(name, replace(base, failure=1e-9)), strict=True)
    assert all(low <= high for low, high in pairs)


@EVERY
def test_norms_that_may_fail_are_part_of_the_failure(name):
    for one in records(BOUNDS[name](), evidence(NET, MARGINS, chance=0.01)):
        assert one.failure_probability == pytest.approx(0.06 if one.guarantee else 0.0)


def test_robust_bounds_lie_above_the_clean_one():
    given = evidence(NET, MARGINS)
    assert min(values("robust-pac-bayes", given)) > values("neyshabur", given)[0]


def test_robust_bounds_count_certified_margins_only():
    given = evidence(NET, MARGINS)
    none = replace(given.training, robust=dict.fromkeys(given.balls, MARGINS - torch.inf))
    found = records(BOUNDS["robust-pac-bayes"](), replace(given, training=none))
    assert all(one.terms["missed"] == 1 and one.vacuous for one in found)
    gone = replace(given.training, robust={})
    assert all(one.missing for one in records(BOUNDS["robust-pac-bayes"](), replace(given, training=gone)))


def test_a_bound_that_says_something_is_the_least_over_margins():
    gaps = {step: math.log(0.01) - 0.1 * step for step in range(-70, 10)}
    found = best_margin(MARGINS, gaps.__getitem__)
    tried = [
        int((2.0**step >= MARGINS).sum()) / len(MARGINS) + math.exp(gaps[step])
        for step in range(math.floor(math.log2(float(MARGINS[MARGINS > 0].min()))), 3)
    ]
    assert math.exp(found.log) == pytest.approx(min(tried), rel=1e-3)
    assert found.log < 0


def test_where_no_margin_is_positive_everything_is_missed():
    found = best_margin(-MARGINS.abs(), lambda _: 0.0)
    assert found.terms["missed"] == 1
    assert math.exp(found.log) == pytest.approx(2)


def test_what_is_not_implemented_says_so():
    assert {one.bound for one in unavailable()} == {"farnia-pgm", "farnia-wrm"}
    assert all("not implemented" in one.missing and not one.guarantee for one in unavailable())


@pytest.mark.parametrize("factor", [0.01, 7.0, 1e4])
def test_normalised_margins_do_not_see_the_scale_of_logits(factor):
    inputs = graphs.random(50, 2, seed=5, dtype=torch.float64)
    weights = [weight.double() for weight in WEIGHTS]
    plain, scaled = unbiased(*weights), unbiased(weights[0], weights[1] * factor)
    first = [plain.to(dtype=torch.float64)(inputs), scaled.to(dtype=torch.float64)(inputs)]
    found = [
        normalised_margins(net(graph), logits[:, 0] - logits[:, 1], float(inputs.norm()), split="train")
        for graph, logits in zip((plain, scaled), first, strict=True)
    ]
    for one, other in zip(*found, strict=True):
        assert one.soundness is Soundness.HEURISTIC
        assert other.curve == pytest.approx(one.curve, rel=1e-9, abs=1e-15)
